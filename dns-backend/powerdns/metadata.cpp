// Zone metadata: the kinds PowerDNS knows, and X-... for everybody's own.
#include "dns-backend/powerdns/objects.hpp"

#include "dns-backend/powerdns/zones/routes.hpp"
#include "dns-backend/powerdns/zones/zone_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace powerdns {
namespace {

namespace json = boost::json;

// Kinds that may be read; those marked are set through the zone itself and not here.
struct Kind {
  std::string_view name;
  bool writable;
};
constexpr std::array<Kind, 21> kinds{{{"ALLOW-AXFR-FROM", true},
                                      {"AXFR-SOURCE", true},
                                      {"ALLOW-DNSUPDATE-FROM", true},
                                      {"TSIG-ALLOW-DNSUPDATE", true},
                                      {"FORWARD-DNSUPDATE", true},
                                      {"SOA-EDIT-DNSUPDATE", true},
                                      {"NOTIFY-DNSUPDATE", true},
                                      {"ALSO-NOTIFY", true},
                                      {"AXFR-MASTER-TSIG", false},
                                      {"GSS-ALLOW-AXFR-PRINCIPAL", true},
                                      {"GSS-ACCEPTOR-PRINCIPAL", true},
                                      {"IXFR", true},
                                      {"LUA-AXFR-SCRIPT", false},
                                      {"NSEC3NARROW", false},
                                      {"NSEC3PARAM", false},
                                      {"PRESIGNED", false},
                                      {"PUBLISH-CDNSKEY", true},
                                      {"PUBLISH-CDS", true},
                                      {"SLAVE-RENOTIFY", true},
                                      {"SOA-EDIT", true},
                                      {"TSIG-ALLOW-AXFR", false}}};

bool is_known(std::string_view kind, bool to_write) {
  if (kind.starts_with("X-")) {
    return true;
  }
  auto const found = std::find_if(kinds.begin(), kinds.end(), [kind](Kind const& one) { return one.name == kind; });
  return found != kinds.end() && (found->writable || !to_write);
}

Refusal unsupported(std::string const& kind) {
  return {422, "Unsupported metadata kind '" + kind + "'"};
}

json::object metadata_json(std::string const& kind, std::vector<std::string> const& values) {
  return {{"kind", kind}, {"metadata", json::value_from(values)}, {"type", "Metadata"}};
}

Answer<std::vector<std::string>> values_of(json::object const& body) {
  auto const* const list = body.if_contains("metadata");
  if (list == nullptr || !list->is_array()) {
    return Refusal{422, "metadata is not specified or not an array"};
  }
  std::vector<std::string> values;
  for (json::value const& item : list->get_array()) {
    if (!item.is_string()) {
      return Refusal{422, "metadata must be strings"};
    }
    values.emplace_back(item.get_string());
  }
  return values;
}

Reply list_metadata(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  json::array list;
  for (auto const& [kind, values] : (*zone)->metadata) {
    list.push_back(metadata_json(kind, values));
  }
  co_return json_reply(200, list);
}

Reply get_metadata(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  std::string const kind = request.parameters.at("kind");
  if (!is_known(kind, false)) {
    co_return refuse(unsupported(kind));
  }
  co_return json_reply(200, metadata_json(kind, metadata_list(**zone, kind)));
}

Reply set(Dependencies const& dependencies, dns::Name apex, std::string kind, std::vector<std::string> values,
          int status) {
  auto const done = co_await dependencies.api.store.set_metadata(std::move(apex), kind, values);
  co_return done ? json_reply(status, metadata_json(kind, values)) : refuse(done.error());
}

// Adds to what there is.
Reply post_metadata(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  auto const* const word = body->if_contains("kind");
  if (word == nullptr || !word->is_string()) {
    co_return refuse(Refusal{422, "kind is not specified or not a string"});
  }
  std::string const kind(word->get_string());
  if (!is_known(kind, true)) {
    co_return refuse(unsupported(kind));
  }
  auto const added = values_of(*body);
  if (!added) {
    co_return refuse(added.error());
  }
  std::vector<std::string> values = metadata_list(**zone, kind);
  for (std::string const& value : *added) {
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      values.push_back(value);
    }
  }
  co_return co_await set(dependencies, (*zone)->apex, kind, std::move(values), 201);
}

Reply put_metadata(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  std::string const kind = request.parameters.at("kind");
  if (!is_known(kind, true)) {
    co_return refuse(unsupported(kind));
  }
  auto values = values_of(*body);
  if (!values) {
    co_return refuse(values.error());
  }
  co_return co_await set(dependencies, (*zone)->apex, kind, std::move(*values), 200);
}

Reply delete_metadata(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  std::string const kind = request.parameters.at("kind");
  if (!is_known(kind, true)) {
    co_return refuse(unsupported(kind));
  }
  std::vector<std::string> const none;
  auto const done = co_await dependencies.api.store.set_metadata((*zone)->apex, kind, none);
  co_return done ? net::HttpResponse::text(200, "") : refuse(done.error());
}

}  // namespace

void add_metadata_routes(net::Router& router, Dependencies const& dependencies) {
  std::string const metadata = "/api/v1/servers/localhost/zones/{zone}/metadata";
  router.add("GET", metadata, reads(dependencies, list_metadata));
  router.add("POST", metadata, writes(dependencies, post_metadata));
  router.add("GET", metadata + "/{kind}", reads(dependencies, get_metadata));
  router.add("PUT", metadata + "/{kind}", writes(dependencies, put_metadata));
  router.add("DELETE", metadata + "/{kind}", writes(dependencies, delete_metadata));
}

}  // namespace powerdns
