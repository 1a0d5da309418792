// TSIG keys (RFC 8945): for transfers and updates that PowerDNS authenticates.
#include "dns-backend/powerdns/objects.hpp"

#include "dns-backend/powerdns/zones/routes.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace powerdns {
namespace {

namespace json = boost::json;

struct Algorithm {
  std::string_view name;
  int octets;  // of a new key
};
constexpr std::array<Algorithm, 6> algorithms{{{"hmac-md5", 64},
                                               {"hmac-sha1", 64},
                                               {"hmac-sha224", 64},
                                               {"hmac-sha256", 64},
                                               {"hmac-sha384", 64},
                                               {"hmac-sha512", 64}}};

Algorithm const* find_algorithm(std::string_view name) {
  auto const found =
      std::find_if(algorithms.begin(), algorithms.end(), [name](auto const& one) { return same_word(one.name, name); });
  return found == algorithms.end() ? nullptr : &*found;
}

std::string without_dot(std::string const& name) {
  return name.size() > 1 && name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

json::object key_json(store::TsigKey const& key, bool with_secret) {
  auto const name = dns::Name::parse(key.name);
  return {{"algorithm", without_dot(key.algorithm)},
          {"id", name ? id_of_name(*name) : key.name},
          {"key", with_secret ? key.content : std::string()},
          {"name", without_dot(key.name)},
          {"type", "TSIGKey"}};
}

bool is_base64(std::string const& text) {
  if (text.empty() || text.size() % 4 != 0) {
    return false;
  }
  std::string out(text.size(), '\0');
  return EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                         reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size())) > 0;
}

std::string new_secret(Algorithm const& algorithm) {
  std::array<unsigned char, 64> octets{};
  ASSERT(static_cast<std::size_t>(algorithm.octets) <= octets.size());
  ASSERT(RAND_bytes(octets.data(), algorithm.octets) == 1);
  std::string text(4 * ((octets.size() + 2) / 3) + 1, '\0');
  int const length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets.data(), algorithm.octets);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Answer<store::TsigKey> key_of(Dependencies const& dependencies, net::HttpRequest const& request) {
  auto const name = name_of_id(request.parameters.at("key"));
  if (!name) {
    return name.error();
  }
  auto const snapshot = dependencies.api.store.published().copy();
  for (store::TsigKey const& key : snapshot->tsig_keys) {
    auto const other = dns::Name::parse(key.name);
    if (other && *other == *name) {
      return key;
    }
  }
  return Refusal{404, {}};
}

// Takes what the body says; a name, an algorithm and a key must be right.
Answer<void> read_into(json::object const& body, store::TsigKey& key) {
  auto const text = [&body](char const* member) {
    auto const* const found = body.if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  if (std::string const given = text("name"); !given.empty()) {
    auto const name = dns::Name::parse(given);
    if (!name) {
      return Refusal{422, "Unable to parse DNS Name '" + given + "'"};
    }
    key.name = name->text();
  }
  if (std::string const given = text("algorithm"); !given.empty()) {
    Algorithm const* const algorithm = find_algorithm(without_dot(given));
    if (algorithm == nullptr) {
      return Refusal{400, {}};
    }
    key.algorithm = std::string(algorithm->name);
  }
  if (std::string const given = text("key"); !given.empty()) {
    if (!is_base64(given)) {
      return Refusal{422, "TSIG content '" + given + "' cannot be base64-decoded"};
    }
    key.content = given;
  }
  return {};
}

Reply list_keys(Dependencies const& dependencies, net::HttpRequest) {
  json::array list;
  auto const snapshot = dependencies.api.store.published().copy();
  for (store::TsigKey const& key : snapshot->tsig_keys) {
    list.push_back(key_json(key, false));
  }
  co_return json_reply(200, list);
}

Reply get_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const key = key_of(dependencies, request);
  if (!key) {
    co_return refuse(key.error());
  }
  net::HttpResponse response = json_reply(200, key_json(*key, true));
  response.headers.set("Cache-Control", "no-store");  // a secret
  co_return response;
}

Reply post_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  for (char const* const member : {"name", "algorithm"}) {
    if (auto const there = required_text(*body, member); !there) {
      co_return refuse(there.error());
    }
  }
  store::TsigKey key;
  if (auto const done = read_into(*body, key); !done) {
    co_return refuse(done.error());
  }
  auto const snapshot = dependencies.api.store.published().copy();
  bool const exists = std::any_of(snapshot->tsig_keys.begin(), snapshot->tsig_keys.end(),
                                  [&key](auto const& other) { return other.name == key.name; });
  if (exists) {
    co_return refuse(Refusal{409, {}});
  }
  if (key.content.empty()) {
    key.content = new_secret(*find_algorithm(key.algorithm));
  }
  auto const done = co_await dependencies.api.store.set_tsig_key(key);
  co_return done ? json_reply(201, key_json(key, true)) : refuse(done.error());
}

Reply put_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const old = key_of(dependencies, request);
  if (!old) {
    co_return refuse(old.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  store::TsigKey key = *old;
  if (auto const done = read_into(*body, key); !done) {
    co_return refuse(done.error());
  }
  auto const set = co_await dependencies.api.store.set_tsig_key(key);
  if (!set) {
    co_return refuse(set.error());
  }
  if (key.name != old->name) {
    auto const removed = co_await dependencies.api.store.delete_tsig_key(old->name);
    if (!removed) {
      co_return refuse(removed.error());
    }
  }
  co_return json_reply(200, key_json(key, true));
}

Reply delete_key(Dependencies const& dependencies, net::HttpRequest request) {
  auto const key = key_of(dependencies, request);
  if (!key) {
    co_return refuse(key.error());
  }
  auto const done = co_await dependencies.api.store.delete_tsig_key(key->name);
  co_return done ? nothing() : refuse(done.error());
}

}  // namespace

void add_tsigkey_routes(net::Router& router, Dependencies const& dependencies) {
  std::string const keys = "/api/v1/servers/localhost/tsigkeys";
  router.add("GET", keys, reads(dependencies, list_keys));
  router.add("POST", keys, writes(dependencies, post_key));
  router.add("GET", keys + "/{key}", reads(dependencies, get_key));
  router.add("PUT", keys + "/{key}", writes(dependencies, put_key));
  router.add("DELETE", keys + "/{key}", writes(dependencies, delete_key));
}

}  // namespace powerdns
