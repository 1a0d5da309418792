#include "dns-backend/cloudflare/wanted.hpp"

#include "dns-backend/pool/bindings.hpp"
#include "dns-backend/pool/select.hpp"

#include <algorithm>

namespace cloudflare {
namespace {

void add(WantedZone& zone, dns::Name const& name, dns::RRType type, std::uint32_t ttl, std::string content) {
  Record record;
  record.name = name;
  record.type = type;
  record.content = std::move(content);
  record.ttl = accepted_ttl(ttl);
  zone.records.push_back(std::move(record));
}

// One answer for everybody: Cloudflare asks nobody where they are, and a draw by time would be written again and again,
// as would a TTL that falls while a flip is near.
void add_balancer(WantedZone& zone, store::Entry const& entry, pool::HealthTable const& health) {
  dns::Name const owner = entry.name();
  auto const add_all = [&](dns::RRType type, pool::Family family, std::string pool::Endpoint::*content) {
    if (!pool::serves(*entry.balancer, family)) {
      return;
    }
    for (pool::Endpoint const* const endpoint : pool::select(*entry.balancer, {health}, family).endpoints) {
      add(zone, owner, type, entry.balancer->ttl, endpoint->*content);
      if (type == dns::type_cname) {
        return;
      }
    }
  };
  add_all(dns::type_a, pool::Family::ipv4, &pool::Endpoint::address4);
  add_all(dns::type_aaaa, pool::Family::ipv6, &pool::Endpoint::address6);
  add_all(dns::type_cname, pool::Family::name, &pool::Endpoint::target);
  for (std::uint16_t const type : pool::binding_types) {
    if (pool::binds(*entry.balancer, type)) {
      zone.obstacles.push_back({owner, dns::RRType{type}, "this type is not exported to Cloudflare"});
    }
  }
}

void add_entry(WantedZone& zone, store::Entry const& entry, pool::HealthTable const& health) {
  dns::Name const owner = entry.name();
  bool const apex = owner == zone.apex;
  for (dns::RRset const& rrset : entry.rrsets) {
    bool const cloudflares_own = rrset.type == dns::type_soa || (apex && rrset.type == dns::type_ns);
    bool const balanced = entry.balancer != nullptr &&
                          (rrset.type == dns::type_a || rrset.type == dns::type_aaaa || rrset.type == dns::type_cname);
    if (cloudflares_own || balanced) {
      continue;
    }
    if (!is_exported(rrset.type)) {
      zone.obstacles.push_back({owner, rrset.type, "this type is not exported to Cloudflare"});
      continue;
    }
    for (std::string const& content : rrset.contents) {
      add(zone, owner, rrset.type, rrset.ttl, content);
    }
  }
  if (entry.balancer != nullptr) {
    add_balancer(zone, entry, health);
  }
}

}  // namespace

std::vector<WantedZone> wanted_zones(store::Snapshot const& snapshot, pool::HealthTable const& health) {
  std::vector<WantedZone> out;
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    auto const mark = zone->metadata.find(zone_metadata);
    if (mark == zone->metadata.end() || mark->second.empty()) {
      return;
    }
    WantedZone wanted{mark->second.front(), zone->apex, {}, {}};
    zone->entries.for_each([&](store::EntryPtr const& entry) { add_entry(wanted, *entry, health); });
    out.push_back(std::move(wanted));
  });
  return out;
}

bool is_zone_id(std::string_view text) {
  constexpr std::size_t digits = 32;
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace cloudflare
