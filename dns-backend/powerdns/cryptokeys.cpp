// DNSSEC keys of a zone: listed with their DNSKEY and DS, taken as private key text, or made.
#include "dns-backend/powerdns/objects.hpp"

#include "dns-backend/dnssec/key.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace powerdns {
namespace {

namespace json = boost::json;

constexpr unsigned sep_flags = 257;
constexpr unsigned zone_flags = 256;

// Algorithms for which the zone has active keys of both sorts: only there a key is "ksk" or "zsk" and not "csk".
std::set<unsigned> split_algorithms(store::Zone const& zone) {
  std::map<unsigned, std::set<bool>> sorts;
  for (store::Key const& key : zone.keys) {
    auto const known = dnssec::public_key(key.content, key.flags, zone.apex);
    if (known && key.active) {
      sorts[known->algorithm].insert(key.flags == sep_flags);
    }
  }
  std::set<unsigned> out;
  for (auto const& [algorithm, found] : sorts) {
    if (found.size() == 2) {
      out.insert(algorithm);
    }
  }
  return out;
}

json::object key_json(store::Zone const& zone, store::Key const& key, bool with_private) {
  json::object out{{"active", key.active}};
  std::string type = "csk";
  auto const known = dnssec::public_key(key.content, key.flags, zone.apex);
  if (known) {
    std::string const name(dnssec::algorithm_name(known->algorithm));
    out["algorithm"] = name.empty() ? std::to_string(known->algorithm) : name;
    out["bits"] = known->bits;
    out["dnskey"] = known->dnskey;
    if (split_algorithms(zone).contains(known->algorithm)) {
      type = key.flags == sep_flags ? "ksk" : "zsk";
    }
    if (type != "zsk") {
      out["ds"] = json::value_from(known->ds);
    }
  }
  out["flags"] = key.flags;
  out["id"] = key.id;
  out["keytype"] = type;
  if (with_private) {
    out["privatekey"] = key.content;
  }
  out["published"] = key.published;
  out["type"] = "Cryptokey";
  return out;
}

Answer<store::Key> key_of(store::Zone const& zone, net::HttpRequest const& request) {
  std::string const& text = request.parameters.at("key");
  std::int64_t id = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  auto const found = std::find_if(zone.keys.begin(), zone.keys.end(), [id](auto const& key) { return key.id == id; });
  if (error != std::errc() || end != text.data() + text.size() || found == zone.keys.end()) {
    return Refusal{404, {}};
  }
  return *found;
}

Reply list_keys(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  json::array list;
  for (store::Key const& key : (*zone)->keys) {
    list.push_back(key_json(**zone, key, false));
  }
  co_return json_reply(200, list);
}

Reply get_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const key = key_of(**zone, request);
  if (!key) {
    co_return refuse(key.error());
  }
  net::HttpResponse response = json_reply(200, key_json(**zone, *key, true));
  response.headers.set("Cache-Control", "no-store");  // a private key
  co_return response;
}

// "algorithm" may be a name or a number; 13 when it is not given.
Answer<unsigned> algorithm_of(json::object const& body) {
  auto const* const given = body.if_contains("algorithm");
  if (given == nullptr || given->is_null()) {
    return 13U;
  }
  std::string const text = given->is_string() ? std::string(given->get_string()) : json::serialize(*given);
  unsigned const number = dnssec::algorithm_number(text);
  if (number == 0) {
    return Refusal{422, "Unknown algorithm: " + text};
  }
  return number;
}

Answer<std::string> private_key_of(json::object const& body) {
  for (char const* const member : {"privatekey", "content"}) {
    auto const* const text = body.if_contains(member);
    if (text != nullptr && text->is_string()) {
      return std::string(text->get_string());
    }
  }
  auto const algorithm = algorithm_of(body);
  if (!algorithm) {
    return algorithm.error();
  }
  auto const* const bits = body.if_contains("bits");
  bool const given = bits != nullptr && !bits->is_null();
  if (given && (!bits->is_int64() || bits->get_int64() < 0 || bits->get_int64() > 65535)) {
    return Refusal{422, "'bits' must be a positive integer value"};
  }
  auto const made = dnssec::generate(*algorithm, given ? static_cast<unsigned>(bits->get_int64()) : 0);
  if (!made) {
    return Refusal{422, made.error().detail};
  }
  return *made;
}

Answer<store::Key> read_key(json::object const& body, dns::Name const& apex) {
  store::Key key;
  auto const active = optional_bool(body, "active", false);
  auto const published = optional_bool(body, "published", true);
  auto const type = required_text(body, "keytype");
  if (!active || !published || !type) {
    return !type ? type.error() : !active ? active.error() : published.error();
  }
  if (*type != "ksk" && *type != "zsk" && *type != "csk") {
    return Refusal{422, "Invalid keytype " + *type};
  }
  key.active = *active;
  key.published = *published;
  key.flags = *type == "zsk" ? zone_flags : sep_flags;
  auto const content = private_key_of(body);
  if (!content) {
    return content.error();
  }
  if (!dnssec::public_key(*content, key.flags, apex)) {
    return Refusal{422, "Key could not be parsed. Make sure your key format is correct."};
  }
  key.content = *content;
  return key;
}

Reply post_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  auto key = read_key(*body, (*zone)->apex);
  if (!key) {
    co_return refuse(key.error());
  }
  auto const id = co_await dependencies.api.store.add_key((*zone)->apex, *key);
  if (!id) {
    co_return refuse(id.error());
  }
  key->id = *id;
  store::ZonePtr const now = dependencies.api.store.published().copy()->zone((*zone)->apex);
  co_return json_reply(201, key_json(now ? *now : **zone, *key, true));
}

Reply put_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  auto const key = key_of(**zone, request);
  if (!key) {
    co_return refuse(key.error());
  }
  auto const* const active = body->if_contains("active");
  if (active == nullptr || !active->is_bool()) {
    co_return refuse(Refusal{422, "Key 'active' not present or not a Bool"});
  }
  auto const published = optional_bool(*body, "published", true);
  if (!published) {
    co_return refuse(published.error());
  }
  auto const done =
      co_await dependencies.api.store.set_key_state((*zone)->apex, key->id, active->get_bool(), *published);
  co_return done ? nothing() : refuse(done.error());
}

Reply delete_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const key = key_of(**zone, request);
  if (!key) {
    co_return refuse(key.error());
  }
  auto const done = co_await dependencies.api.store.remove_key((*zone)->apex, key->id);
  co_return done ? nothing() : refuse(done.error());
}

}  // namespace

void add_cryptokey_routes(net::Router& router, Dependencies const& dependencies) {
  std::string const keys = "/api/v1/servers/localhost/zones/{zone}/cryptokeys";
  router.add("GET", keys, reads(dependencies, list_keys));
  router.add("POST", keys, writes(dependencies, post_key));
  router.add("GET", keys + "/{key}", reads(dependencies, get_key));
  router.add("PUT", keys + "/{key}", writes(dependencies, put_key));
  router.add("DELETE", keys + "/{key}", writes(dependencies, delete_key));
}

}  // namespace powerdns
