// The list of zones, one zone, and what changes it.
#include "dns-backend/powerdns/zones/dependencies.hpp"

#include "dns-backend/api/access.hpp"
#include "dns-backend/dnssec/key.hpp"
#include "dns-backend/powerdns/zones/new_zone.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"
#include "dns-backend/powerdns/zones/rrset_json.hpp"
#include "dns-backend/powerdns/zones/serial.hpp"
#include "dns-backend/powerdns/zones/zone_json.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace powerdns {
namespace {

namespace json = boost::json;

constexpr unsigned default_algorithm = 13;  // ECDSAP256SHA256, as PowerDNS
constexpr unsigned ksk_flags = 257;

std::string query_word(net::HttpRequest const& request, char const* key) {
  auto const found = request.query.find(key);
  return found == request.query.end() ? std::string() : found->second;
}

json::object zone_json(Dependencies const& dependencies, store::Zone const& zone, net::HttpRequest const& request) {
  json::object body = details(zone, now_of(dependencies));
  if (query_word(request, "rrsets") == "false") {
    return body;
  }
  std::vector<dns::OwnedRRset> rrsets = api::content_of(zone);
  if (std::string const wanted = query_word(request, "rrset_name"); !wanted.empty()) {
    auto const name = dns::Name::parse(wanted);
    auto const type = dns::parse_type(query_word(request, "rrset_type"));
    std::erase_if(rrsets, [&](dns::OwnedRRset const& owned) {
      return !name || owned.owner != *name || (type && owned.rrset.type != *type);
    });
  }
  body["rrsets"] = rrsets_json(rrsets);
  return body;
}

Reply list_zones(Dependencies const& dependencies, net::HttpRequest request) {
  bool const dnssec = query_word(request, "dnssec") != "false";
  auto const snapshot = dependencies.api.store.published().copy();
  std::int64_t const now = now_of(dependencies);
  json::array list;
  if (request.query.contains("zone")) {
    auto const name = canonical_name(query_word(request, "zone"));
    if (!name) {
      co_return refuse(name.error());
    }
    if (store::ZonePtr const zone = snapshot->zone(*name)) {
      list.push_back(summary(*zone, dnssec, now));
    }
  } else {
    snapshot->zones.for_each(
        [&](std::string const&, store::ZonePtr const& zone) { list.push_back(summary(*zone, dnssec, now)); });
  }
  co_return json_reply(200, list);
}

// A combined signing key, as PowerDNS makes when a zone is secured.
net::Task<base::Result<void>> secure(Dependencies const& dependencies, dns::Name apex) {
  auto const text = dnssec::generate(default_algorithm, 0);
  if (!text) {
    co_return text.error();
  }
  store::Key key;
  key.flags = ksk_flags;
  key.content = *text;
  auto const added = co_await dependencies.api.store.add_key(std::move(apex), std::move(key));
  co_return added ? base::Result<void>() : added.error();
}

net::Task<base::Result<void>> apply_extras(Dependencies const& dependencies, dns::Name apex, ZoneExtras extras) {
  store::Store& store = dependencies.api.store;
  store::ZonePtr const zone = store.published().copy()->zone(apex);
  if (zone == nullptr) {
    co_return base::fail(store::errc::not_found, "there is no zone " + apex.text());
  }
  for (auto const& [kind, values] : extras.metadata) {
    if (metadata_list(*zone, kind) != values) {
      auto const set = co_await store.set_metadata(apex, kind, values);
      if (!set) {
        co_return set.error();
      }
    }
  }
  if (extras.dnssec == true && zone->keys.empty()) {
    co_return co_await secure(dependencies, apex);
  }
  if (extras.dnssec == false) {
    for (store::Key const& key : zone->keys) {
      auto const removed = co_await store.remove_key(apex, key.id);
      if (!removed) {
        co_return removed.error();
      }
    }
  }
  co_return base::Result<void>();
}

Reply create_zone(Dependencies const& dependencies, net::HttpRequest request) {
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  auto const text = required_text(*body, "name");
  if (!text) {
    co_return refuse(text.error());
  }
  auto const apex = canonical_name(*text);
  if (!apex) {
    co_return refuse(apex.error());
  }
  store::Store& store = dependencies.api.store;
  auto const snapshot = store.published().copy();
  if (snapshot->zone(*apex)) {
    co_return refuse(Refusal{409, {}});
  }
  auto wanted = read_new_zone(*body, *apex, snapshot->tsig_keys, now_of(dependencies));
  if (!wanted) {
    co_return refuse(wanted.error());
  }
  auto const made = co_await store.create_zone(*apex, wanted->settings, std::move(wanted->rrsets));
  if (!made) {
    co_return refuse(made.error());
  }
  auto const extra = co_await apply_extras(dependencies, *apex, std::move(wanted->extras));
  if (!extra) {
    // Half a zone is none: what was asked for did not happen.
    auto const undone = co_await store.delete_zone(*apex);
    co_return refuse(undone ? extra.error() : undone.error());
  }
  store::ZonePtr const zone = store.published().copy()->zone(*apex);
  co_return zone ? json_reply(201, zone_json(dependencies, *zone, request)) : refuse(Refusal{404, {}});
}

Reply get_zone(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  co_return zone ? json_reply(200, zone_json(dependencies, **zone, request)) : refuse(zone.error());
}

Reply patch_zone(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  auto const* const list = body->if_contains("rrsets");
  if (list == nullptr || !list->is_array()) {
    co_return refuse(Refusal{422, "No rrsets given in update request"});
  }
  auto changes = read_rrsets((*zone)->apex, list->get_array(), true);
  if (!changes) {
    co_return refuse(changes.error());
  }
  if (auto const fine = check_cnames(**zone, *changes); !fine) {
    co_return refuse(fine.error());
  }
  std::vector<dns::OwnedRRset> wanted = differing(**zone, std::move(*changes));
  if (wanted.empty()) {
    co_return nothing();
  }
  std::uint32_t const serial = next_serial(metadata_text(**zone, "SOA-EDIT-API"), metadata_text(**zone, "SOA-EDIT"),
                                           (*zone)->serial, now_of(dependencies));
  add_serial(**zone, serial, wanted);
  auto const done = co_await dependencies.api.store.replace_rrsets((*zone)->apex, std::move(wanted));
  co_return done ? nothing() : refuse(done.error());
}

Reply put_zone(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  store::ZoneSettings settings{(*zone)->kind, (*zone)->masters, (*zone)->account};
  if (auto const* const kind = body->if_contains("kind"); kind != nullptr && kind->is_string()) {
    settings.kind = kind_of(kind->get_string());
    if (settings.kind.empty()) {
      co_return refuse(Refusal{422, "Navigator has no catalog zones: the kind must be Native, Master or Slave"});
    }
  }
  if (auto const* const masters = body->if_contains("masters"); masters != nullptr && masters->is_array()) {
    auto list = read_masters(*masters);
    if (!list) {
      co_return refuse(list.error());
    }
    settings.masters = std::move(*list);
  }
  if (auto const* const account = body->if_contains("account"); account != nullptr && account->is_string()) {
    settings.account = std::string(account->get_string());
  }
  auto extras = read_extras(*body, dependencies.api.store.published().copy()->tsig_keys);
  if (!extras) {
    co_return refuse(extras.error());
  }
  auto const nsec3 = extras->metadata.find("NSEC3PARAM");
  bool const secured = extras->dnssec.value_or(!(*zone)->keys.empty());
  if (nsec3 != extras->metadata.end() && !nsec3->second.empty() && !secured) {
    std::string const name = (*zone)->apex.text();
    co_return refuse(
        Refusal{422, "NSEC3PARAM value provided for zone '" + name + "', but zone is not DNSSEC secured."});
  }
  auto const set = co_await dependencies.api.store.set_zone_settings((*zone)->apex, std::move(settings));
  if (!set) {
    co_return refuse(set.error());
  }
  auto const done = co_await apply_extras(dependencies, (*zone)->apex, std::move(*extras));
  co_return done ? nothing() : refuse(done.error());
}

Reply delete_zone(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const done = co_await dependencies.api.store.delete_zone((*zone)->apex);
  co_return done ? nothing() : refuse(done.error());
}

}  // namespace

void add_zone_routes(net::Router& router, Dependencies const& dependencies) {
  std::string const zones = "/api/v1/servers/localhost/zones";
  router.add("GET", zones, reads(dependencies, list_zones));
  router.add("POST", zones, writes(dependencies, create_zone));
  router.add("GET", zones + "/{zone}", reads(dependencies, get_zone));
  router.add("PATCH", zones + "/{zone}", writes(dependencies, patch_zone));
  router.add("PUT", zones + "/{zone}", writes(dependencies, put_zone));
  router.add("DELETE", zones + "/{zone}", writes(dependencies, delete_zone));
}

}  // namespace powerdns
