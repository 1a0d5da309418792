#include "dns-backend/overview/overview.hpp"

#include "base/process/metrics.hpp"
#include "dns-backend/steering/build.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

namespace overview {
namespace {

using probe::Health;
using Slots = std::set<std::uint32_t>;

pool::PoolPtr topology_pool(store::PoolRow const& row, pool::HealthTable& table) {
  auto out = std::make_shared<pool::Pool>();
  out->name = row.name;
  out->site = row.site;
  out->minimum_origins = row.minimum_origins;
  for (auto const& endpoint : row.endpoints) {
    pool::Endpoint one;
    one.name = endpoint.name;
    one.address4 = endpoint.address4;
    one.address6 = endpoint.address6;
    one.slot = table.slot(endpoint.name);
    one.enabled = endpoint.enabled;
    out->endpoints.push_back(std::move(one));
  }
  return out;
}

store::Touched touched(dns::Name const& name) {
  return name.is_wildcard() ? store::Touched{name.parent(), true} : store::Touched{name, false};
}

void reach(pool::Pool const& pool, Slots& slots, unsigned depth = 0) {
  if (!pool.enabled || depth > pool::nesting_max) {
    return;
  }
  for (pool::Endpoint const& endpoint : pool.endpoints) {
    if (endpoint.enabled) {
      slots.insert(endpoint.slot);
    }
  }
  for (pool::PoolPtr const& nested : pool.pools) {
    reach(*nested, slots, depth + 1);
  }
}

// The up ones that a pool has before it chooses among them: below its minimum it has none.
Slots up_in(pool::Pool const& pool, pool::HealthTable const& table, unsigned depth = 0) {
  Slots up;
  if (!pool.enabled || depth > pool::nesting_max) {
    return up;
  }
  for (pool::Endpoint const& endpoint : pool.endpoints) {
    if (endpoint.enabled && table.get(endpoint.slot) == Health::up) {
      up.insert(endpoint.slot);
    }
  }
  for (pool::PoolPtr const& nested : pool.pools) {
    Slots const all = up_in(*nested, table, depth + 1);
    // A nested pool gives what it would answer, and that may be fewer than it has.
    bool const every = nested->origin_steering == pool::OriginSteering::all;
    std::size_t const most = nested->origins_max > 0 ? nested->origins_max : every ? all.size() : 1;
    auto const end = std::next(all.begin(), static_cast<std::ptrdiff_t>(std::min(most, all.size())));
    up.insert(all.begin(), end);
  }
  std::size_t const minimum = std::max<std::size_t>(pool.minimum_origins, 1);
  return up.size() < minimum ? Slots() : up;
}

// The fallback pool is left out: it takes over by no time.
std::vector<std::uint32_t> slots_of(pool::LoadBalancer const& balancer) {
  Slots slots;
  for (pool::PoolPtr const& pool : balancer.pools) {
    reach(*pool, slots);
  }
  for (auto const& [region, pools] : balancer.region_pools) {
    for (pool::PoolPtr const& pool : pools) {
      reach(*pool, slots);
    }
  }
  return {slots.begin(), slots.end()};
}

std::vector<std::string> sites_of(pool::LoadBalancer const& balancer) {
  std::vector<std::string> sites;
  std::transform(balancer.pools.begin(), balancer.pools.end(), std::back_inserter(sites),
                 [](pool::PoolPtr const& pool) { return pool->site; });
  return sites;
}

// The places of these sites by their cost, equal ones as they were: what pool::steer makes of the pools.
std::vector<std::size_t> order_of(std::vector<std::string> const& sites, geo::SiteCosts const* costs) {
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::pair<std::uint64_t, std::size_t>> ranked;
  for (std::string const& site : sites) {
    std::uint64_t cost = 0;
    if (costs != nullptr) {
      auto const found = costs->find(site);
      cost = found == costs->end() ? last : found->second;
    }
    ranked.emplace_back(cost, ranked.size());
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::size_t> order;
  std::transform(ranked.begin(), ranked.end(), std::back_inserter(order), [](auto const& one) { return one.second; });
  return order;
}

}  // namespace

Overview overview_of(std::vector<store::PoolRow> const& rows, steering::Objects const& objects,
                     pool::HealthTable& table) {
  Overview out;
  steering::PoolValues topology;
  for (store::PoolRow const& row : rows) {
    topology[row.name] = topology_pool(row, table);
  }
  auto const slot = [&table](std::string const& endpoint) { return table.slot(endpoint); };
  steering::PoolValues const own = steering::build_pools(objects, topology, slot, {});
  for (auto const* values : {&std::as_const(topology), &own}) {
    for (auto const& [name, pool] : *values) {
      out.pools.push_back(pool);
      out.keeps_last = out.keeps_last || pool->all_down == pool::AllDown::keep_last;
    }
  }
  for (auto const& [name, declared] : objects.load_balancers) {
    bool const by_mesh = declared.steering_policy == pool::Steering::mesh;
    auto const owner = dns::Name::parse(name);
    if (!declared.enabled || !owner || (declared.failback_s == 0 && !by_mesh)) {
      continue;
    }
    pool::LoadBalancer const balancer = steering::build_balancer(declared, own, topology);
    if (declared.failback_s > 0) {
      out.failing_back.push_back({touched(*owner), declared.failback_s, slots_of(balancer)});
    }
    if (by_mesh) {
      out.by_mesh.push_back({touched(*owner), sites_of(balancer)});
    }
  }
  return out;
}

Failbacks failbacks(std::vector<FailingBack> const& all, pool::HealthTable const& table, std::int64_t since_s,
                    std::int64_t now_s) {
  Failbacks out;
  for (FailingBack const& one : all) {
    bool due = false;
    for (std::uint32_t const slot : one.slots) {
      pool::HealthTable::View const view = table.view(slot);
      if (view.health != Health::up) {
        continue;
      }
      std::int64_t const at_s = std::int64_t{view.up_since_s} + one.failback_s;
      due = due || (at_s > since_s && at_s <= now_s);
      if (at_s > now_s) {
        out.next_s = std::min(out.next_s.value_or(at_s), at_s);
      }
    }
    if (due) {
      out.names.push_back(one.name);
    }
  }
  return out;
}

std::vector<store::Touched> reordered(std::vector<ByMesh> const& all, geo::SiteCosts const* before,
                                      geo::SiteCosts const* after) {
  std::vector<store::Touched> out;
  for (ByMesh const& one : all) {
    if (order_of(one.sites, before) != order_of(one.sites, after)) {
      out.push_back(one.name);
    }
  }
  return out;
}

std::string pool_metrics(std::vector<pool::PoolPtr> const& pools, pool::HealthTable const& table) {
  process::Metrics metrics;
  for (pool::PoolPtr const& pool : pools) {
    Slots slots;
    reach(*pool, slots);
    for (Health const health : {Health::up, Health::down, Health::unknown, Health::draining}) {
      auto const count =
          std::count_if(slots.begin(), slots.end(), [&](std::uint32_t slot) { return table.get(slot) == health; });
      metrics
          .gauge("navigator_pool_endpoints", "Enabled endpoints of a pool by their health",
                 {{"pool", pool->name}, {"health", probe::name(health)}})
          .set(static_cast<double>(count));
    }
    metrics.gauge("navigator_pool_up", "1 while at least minimum_origins of the pool are up", {{"pool", pool->name}})
        .set(up_in(*pool, table).empty() ? 0 : 1);
  }
  return metrics.text();
}

}  // namespace overview
