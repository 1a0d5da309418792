#include "dns-backend/api/access.hpp"
#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

constexpr std::array<std::string_view, 3> kinds = {"native", "master", "slave"};

base::Result<dns::Name> zone_name(net::HttpRequest const& request) {
  return dns::Name::parse(request.parameters.at("zone"));
}

store::ZonePtr find_zone(Dependencies const& api, net::HttpRequest const& request) {
  base::Result<dns::Name> const name = zone_name(request);
  return name ? api.store.published().copy()->zone(*name) : nullptr;
}

json::object summary(store::Zone const& zone) {
  json::object body;
  body["name"] = zone.apex.text();
  body["id"] = zone.id;
  body["kind"] = zone.kind;
  body["serial"] = zone.serial;
  body["names"] = zone.entries.size();
  body["secured"] = std::any_of(zone.keys.begin(), zone.keys.end(), [](auto const& key) { return key.active; });
  body["account"] = zone.account;
  if (zone.kind == "slave") {
    body["masters"] = json::value_from(zone.masters);
    body["last_check"] = zone.last_check_s;
  }
  return body;
}

net::HttpResponse revision_reply(int status, Dependencies const& api, dns::Name const& apex, store::Revision revision) {
  json::object body;
  if (store::ZonePtr const zone = api.store.published().copy()->zone(apex)) {
    body = summary(*zone);
  }
  body["revision"] = revision;
  return reply(status, body);
}

void check_kind(Body& reader, std::string const& kind) {
  if (!kind.empty() && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    reader.fail("kind", "'" + kind + "' is no kind of zone", "native, master or slave");
  }
}

struct NewZone {
  dns::Name apex;
  store::ZoneSettings settings;
  std::vector<dns::OwnedRRset> rrsets;
};

// "hostmaster@example.org" or "hostmaster.example.org."
std::string mailbox(std::string text) {
  std::size_t const at = text.find('@');
  if (at == std::string::npos) {
    return text.ends_with('.') ? text : text + ".";
  }
  std::string local;
  for (char const c : text.substr(0, at)) {
    local += c == '.' ? "\\." : std::string(1, c);
  }
  return local + "." + text.substr(at + 1) + (text.ends_with('.') ? "" : ".");
}

// The SOA and NS records every zone begins with; a secondary has none before its first transfer.
NewZone read_new_zone(Body& reader) {
  NewZone zone;
  std::string const name = reader.text("name");
  base::Result<dns::Name> const apex = dns::Name::parse(name);
  if (apex) {
    zone.apex = *apex;
  } else if (!name.empty()) {
    reader.fail("name", apex.error().what());
  }
  zone.settings = {reader.text("kind", "native"), reader.texts("masters", false), reader.text("account", "")};
  check_kind(reader, zone.settings.kind);
  auto const ttl = static_cast<std::uint32_t>(reader.integer("ttl", 1, 604800, 3600));
  // A missing name is one mistake, not two.
  std::string const default_hostmaster = "hostmaster." + (zone.apex.is_root() ? std::string() : zone.apex.text());
  std::string const hostmaster = mailbox(reader.text("hostmaster", default_hostmaster));
  dns::RRset servers{dns::type_ns, ttl, {}};
  std::string first;
  std::vector<std::string> const given = reader.texts("nameservers", false);
  // A secondary begins empty: its first transfer brings everything.
  bool const empty = given.empty() && zone.settings.kind == "slave";
  if (given.empty() && !empty) {
    reader.fail("nameservers", "must list at least one name server");
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    base::Result<dns::Name> const server = dns::Name::parse(given[i]);
    if (!server) {
      reader.fail("nameservers[" + std::to_string(i) + "]", server.error().what());
      continue;
    }
    first = first.empty() ? server->text() : first;
    servers.contents.push_back(server->text());
  }
  std::sort(servers.contents.begin(), servers.contents.end());
  servers.contents.erase(std::unique(servers.contents.begin(), servers.contents.end()), servers.contents.end());
  base::Result<std::string> const soa = dns::normalize_content(
      dns::type_soa, (first.empty() ? "." : first) + " " + hostmaster + " 1 10800 3600 604800 300");
  if (!soa) {
    reader.fail("hostmaster", soa.error().what());
  }
  reader.finish();
  if (reader.problems().empty() && !empty) {
    zone.rrsets.push_back({zone.apex, dns::RRset{dns::type_soa, ttl, {*soa}}});
    zone.rrsets.push_back({zone.apex, std::move(servers)});
  }
  return zone;
}

Answer list_zones(Dependencies const& api, net::HttpRequest request) {
  auto const page = net::read_page(request, lists_default);
  if (!page) {
    co_return refusal(page.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (store::ZoneInfo const& zone : api.store.zones()) {
    std::string const name = zone.apex.text();
    items.emplace_back(name, json::object{{"name", name},
                                          {"kind", zone.kind},
                                          {"serial", zone.serial},
                                          {"names", zone.names},
                                          {"secured", zone.secured}});
  }
  std::ranges::sort(items, {}, &std::pair<std::string, json::value>::first);
  co_return reply(200, net::page_of("zones", std::move(items), *page));
}

Answer create_zone(Dependencies const& api, net::HttpRequest request) {
  Body reader(request.body);
  NewZone zone = reader.broken() ? NewZone{} : read_new_zone(reader);
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  base::Result<store::Revision> const done =
      co_await api.store.create_zone(zone.apex, zone.settings, std::move(zone.rrsets));
  co_return done ? revision_reply(201, api, zone.apex, *done)
                 : refusal(done.error(), About{"name", "a zone that is not there yet and hides nothing"});
}

Answer get_zone(Dependencies const& api, net::HttpRequest request) {
  store::ZonePtr const zone = find_zone(api, request);
  if (!zone) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  json::object body = summary(*zone);
  body["notified_serial"] = zone->notified_serial;
  body["masters"] = json::value_from(zone->masters);
  body["account"] = zone->account;
  json::object metadata;
  for (auto const& [kind, values] : zone->metadata) {
    metadata[kind] = json::value_from(values);
  }
  body["metadata"] = std::move(metadata);
  co_return reply(200, body);
}

Answer delete_zone(Dependencies const& api, net::HttpRequest request) {
  base::Result<dns::Name> const name = zone_name(request);
  if (!name) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  base::Result<store::Revision> const done = co_await api.store.delete_zone(*name);
  co_return done ? reply_nothing() : refusal(done.error(), about_zone);
}

Answer import_zone(Dependencies const& api, net::HttpRequest request) {
  base::Result<dns::Name> const name = zone_name(request);
  if (!name) {
    co_return refusal(name.error(), about_zone);
  }
  if (request.body.empty()) {
    co_return refusal(base::Problems{{{"request body", 0, 0}, "", "is empty", "a master file is expected"}});
  }
  auto rrsets = co_await parse_content(api, std::move(request.body), *name);
  if (!rrsets) {
    co_return refusal(rrsets.error());
  }
  store::ZonePtr const before = api.store.published().copy()->zone(*name);
  base::Result<store::Revision> const done = co_await api.store.import_zone(*name, std::move(*rrsets));
  if (!done) {
    co_return refusal(done.error(), about_zone);
  }
  store::ZonePtr const after = api.store.published().copy()->zone(*name);
  json::object body = after ? summary(*after) : json::object();
  body["revision"] = *done;
  body["created"] = before == nullptr;
  body["changed"] = before != after;
  co_return reply(200, body);
}

Answer export_zone(Dependencies const& api, net::HttpRequest request) {
  store::ZonePtr const zone = find_zone(api, request);
  if (!zone) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  std::vector<dns::OwnedRRset> const rrsets = content_of(*zone);
  std::string remarks;
  zone->entries.for_each([&](store::EntryPtr const& entry) {
    if (entry->balancer) {
      remarks += "; " + entry->name().text() + " is answered by a load balancer\n";
    }
  });
  net::HttpResponse response = net::HttpResponse::text(200, dns::to_zone_file(zone->apex, rrsets) + remarks);
  response.headers.set("Content-Type", "text/dns; charset=utf-8");  // RFC 4027
  co_return response;
}

Answer put_kind(Dependencies const& api, net::HttpRequest request) {
  Body reader(request.body);
  std::string const kind = reader.text("kind");
  check_kind(reader, kind);
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  base::Result<dns::Name> const name = zone_name(request);
  if (!name) {
    co_return no_such_zone(request.parameters.at("zone"));
  }
  base::Result<store::Revision> const done = co_await api.store.set_kind(*name, kind);
  co_return done ? revision_reply(200, api, *name, *done) : refusal(done.error(), about_zone);
}

}  // namespace

void add_zone_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("GET", "/v1/zones", administrators(dependencies, list_zones));
  router.add("POST", "/v1/zones", writes(dependencies, create_zone));
  router.add("GET", "/v1/zones/{zone}", administrators(dependencies, get_zone));
  router.add("DELETE", "/v1/zones/{zone}", writes(dependencies, delete_zone));
  router.add("PUT", "/v1/zones/{zone}/import", writes(dependencies, import_zone), whole_zone_limits);
  router.add("GET", "/v1/zones/{zone}/export", administrators(dependencies, export_zone));
  router.add("PUT", "/v1/zones/{zone}/kind", writes(dependencies, put_kind));
}

}  // namespace api
