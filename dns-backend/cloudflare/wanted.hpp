// Which records a zone publishes at Cloudflare. Pure.
//
// A zone is exported when its metadata has X-CLOUDFLARE-ZONE, whose value is Cloudflare's zone id (32 hex digits). SOA
// and the apex NS are Cloudflare's own and left out; names of a load balancer are exported with the addresses it
// answers now.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/cloudflare/plan.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <string>
#include <vector>

namespace cloudflare {

inline constexpr char const* zone_metadata = "X-CLOUDFLARE-ZONE";

struct WantedZone {
  std::string zone_id;
  dns::Name apex;
  std::vector<Record> records;
  std::vector<Obstacle> obstacles;  // types that are not exported
};

// Every marked zone of the snapshot, in canonical order.
std::vector<WantedZone> wanted_zones(store::Snapshot const& snapshot, pool::HealthTable const& health);

[[nodiscard]] bool is_zone_id(std::string_view text);

}  // namespace cloudflare
