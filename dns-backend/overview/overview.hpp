// The whole set of pools and load balancers as the daemon sees it beside single lookups: which answers change without a
// flip, at what moment, and how each pool is.
//
// Threads: pure functions over immutable values; slots of the HealthTable are given out on the control loop.
#pragma once

#include "dns-backend/geo/geo.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/pool/pool.hpp"
#include "dns-backend/snapshot/snapshot.hpp"
#include "dns-backend/steering/objects.hpp"
#include "dns-backend/store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace overview {

// A name whose answer changes when an endpoint of its pools has been up for `failback_s`.
struct FailingBack {
  store::Touched name;
  std::uint32_t failback_s = 0;
  std::vector<std::uint32_t> slots;  // of the endpoints it reaches in order, nested ones included
};

// A name whose pools are ordered by the mesh's costs.
struct ByMesh {
  store::Touched name;
  std::vector<std::string> sites;  // of its pools, in their order
};

struct Overview {
  std::vector<pool::PoolPtr> pools;  // the topology's, then the operators'; each by name
  std::vector<FailingBack> failing_back;
  std::vector<ByMesh> by_mesh;
  bool keeps_last = false;  // some pool answers what was up last when all of it is down
};

Overview overview_of(std::vector<store::PoolRow> const& rows, steering::Objects const& objects,
                     pool::HealthTable& table);

// What failed back after `since_s` and until `now_s` (Unix times): the answer may be another since, though no health
// changed. And when that happens next, if nothing flips before.
struct Failbacks {
  std::vector<store::Touched> names;
  std::optional<std::int64_t> next_s;
};
Failbacks failbacks(std::vector<FailingBack> const& all, pool::HealthTable const& table, std::int64_t since_s,
                    std::int64_t now_s);

// The names of which the pools are in another order by the new costs. nullptr: no costs, as configured.
std::vector<store::Touched> reordered(std::vector<ByMesh> const& all, geo::SiteCosts const* before,
                                      geo::SiteCosts const* after);

// Prometheus text, made when it is asked for, so that a pool that is gone leaves nothing:
//   navigator_pool_endpoints{pool,health}   enabled endpoints, nested ones included
//   navigator_pool_up{pool}                 1 while at least minimum_origins are up, as a lookup counts them
// Costs as much as there are endpoints.
std::string pool_metrics(std::vector<pool::PoolPtr> const& pools, pool::HealthTable const& table);

}  // namespace overview
