#include "dns-backend/pool/steering.hpp"

#include "dns-backend/pool/draw.hpp"

#include <algorithm>
#include <limits>

namespace pool {
namespace {

constexpr double last = std::numeric_limits<double>::infinity();

void add(Order& order, Candidates& all, std::vector<PoolPtr> const& pools) {
  for (PoolPtr const& pool : pools) {
    bool const there = pool == nullptr || std::any_of(order.nodes.begin(), order.nodes.end(), [&](std::size_t node) {
                         return all.node(node).pool == pool.get();
                       });
    if (!there) {
      order.nodes.push_back(all.add(*pool));
    }
  }
}

// What the locator says about the client, and how much of the address the answer then depends on.
struct Whereabouts {
  std::optional<geo::Place> place;
  std::uint8_t scope_bits = 0;
};

Whereabouts whereabouts(Asking const& asking) {
  if (asking.locator == nullptr) {
    return {};
  }
  Whereabouts out;
  std::uint8_t scope = 0;
  if (asking.client.bits > 0) {
    out.place = asking.locator->locate(asking.client);
    // Nothing is said of how far around a client nothing is known either.
    scope = out.place ? out.place->scope_bits : asking.client.bits;
  }
  out.scope_bits = std::max<std::uint8_t>(scope, 1);
  return out;
}

// Sorts by key, the smallest first; what is equal stays in the order it had.
template <class Key>
void sort_by(Order& order, Candidates const& all, Key key) {
  struct Ranked {
    double key;
    std::size_t place, node;
  };
  boost::container::small_vector<Ranked, 16> ranked;
  for (std::size_t node : order.nodes) {
    ranked.push_back({key(*all.node(node).pool, node), ranked.size(), node});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](Ranked const& a, Ranked const& b) { return a.key != b.key ? a.key < b.key : a.place < b.place; });
  std::transform(ranked.begin(), ranked.end(), order.nodes.begin(), [](Ranked const& one) { return one.node; });
}

void by_hash(Order& order, Candidates const& all, LoadBalancer const& balancer, geo::Client const& client) {
  geo::Client const prefix = hashed_prefix(client);
  order.scope_bits = std::max<std::uint8_t>(prefix.bits, 1);
  if (prefix.bits > 0) {
    Draw const draw = Draw(balancer.name, 'p').with(prefix);
    sort_by(order, all, [&draw](Pool const& pool, std::size_t) { return draw.with(pool.name).score(1); });
  }
}

void by_chance(Order& order, Candidates const& all, LoadBalancer const& balancer, std::int64_t now_s) {
  constexpr std::uint32_t usual_weight = 1000;
  Draw const draw = Draw(balancer.name, 'p').with(time_step(now_s, balancer.ttl));
  sort_by(order, all, [&](Pool const& pool, std::size_t) {
    auto const weight = balancer.pool_weights.find(pool.name);
    return draw.with(pool.name).score(weight == balancer.pool_weights.end() ? usual_weight : weight->second);
  });
}

void by_distance(Order& order, Candidates const& all, Asking const& asking) {
  bool const anywhere = std::any_of(order.nodes.begin(), order.nodes.end(),
                                    [&](std::size_t node) { return all.node(node).pool->coordinates.has_value(); });
  if (!anywhere) {
    return;
  }
  Whereabouts const where = whereabouts(asking);
  order.scope_bits = where.scope_bits;
  if (where.place && where.place->has_coordinates) {
    sort_by(order, all, [&where](Pool const& pool, std::size_t) {
      return pool.coordinates ? geo::distance_km(where.place->latitude, where.place->longitude,
                                                 pool.coordinates->latitude, pool.coordinates->longitude)
                              : last;
    });
  }
}

void by_cost(Order& order, Candidates const& all, geo::SiteCosts const* costs) {
  if (costs != nullptr) {
    sort_by(order, all, [costs](Pool const& pool, std::size_t) {
      auto const cost = costs->find(pool.site);
      return cost == costs->end() ? last : static_cast<double>(cost->second);
    });
  }
}

// The pools of the client's region, of its continent, and then the balancer's own.
void add_by_region(Order& order, Candidates& all, LoadBalancer const& balancer, Asking const& asking) {
  if (balancer.region_pools.empty()) {
    return;
  }
  Whereabouts const where = whereabouts(asking);
  order.scope_bits = where.scope_bits;
  if (!where.place) {
    return;
  }
  for (std::string_view const region : {where.place->region, where.place->continent}) {
    if (auto const found = balancer.region_pools.find(region); found != balancer.region_pools.end()) {
      add(order, all, found->second);
    }
  }
}

}  // namespace

Order steer(LoadBalancer const& balancer, Asking const& asking, Candidates& all, std::optional<std::size_t>& fallback) {
  Order order;
  if (balancer.steering == Steering::geo) {
    add_by_region(order, all, balancer, asking);
  }
  add(order, all, balancer.pools);
  if (balancer.fallback_pool != nullptr) {
    fallback = all.add(*balancer.fallback_pool);
  }
  if (balancer.steering == Steering::geo && !all.any()) {
    // The types of a name are everybody's: what only other regions have is better than none of it.
    for (auto const& [region, pools] : balancer.region_pools) {
      add(order, all, pools);
    }
  }
  all.settle_readiness();
  order.nodes.erase(
      std::remove_if(order.nodes.begin(), order.nodes.end(), [&all](std::size_t node) { return !all.any_in(node); }),
      order.nodes.end());
  bool const choice = order.nodes.size() > 1;
  switch (choice ? balancer.steering : Steering::off) {
    case Steering::random:
      by_chance(order, all, balancer, asking.now_s);
      break;
    case Steering::hash:
      by_hash(order, all, balancer, asking.client);
      break;
    case Steering::proximity:
      by_distance(order, all, asking);
      break;
    case Steering::mesh:
      by_cost(order, all, asking.costs);
      break;
    case Steering::least_load:
      sort_by(order, all, [&all](Pool const&, std::size_t node) { return all.mean_load(node).value_or(last); });
      break;
    case Steering::geo:
    case Steering::off:
      break;
  }
  return order;
}

}  // namespace pool
