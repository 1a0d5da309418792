#include "dns-backend/pool/select.hpp"

#include <algorithm>

namespace pool {
namespace {

using probe::Health;

// Health is read once, so that one answer is made from one view of it.
struct Candidate {
  Endpoint const* endpoint;
  Health health;
  std::uint32_t left_up;
};

struct Candidates {
  Pool const* pool;
  boost::container::small_vector<Candidate, endpoints_in_place> endpoints;
};
using Pools = boost::container::small_vector<Candidates, 4>;

bool has_address(Endpoint const& endpoint, Family family) {
  switch (family) {
    case Family::ipv4:
      return !endpoint.address4.empty();
    case Family::ipv6:
      return !endpoint.address6.empty();
    case Family::any:
      break;
  }
  return !endpoint.address4.empty() || !endpoint.address6.empty();
}

// `ready` null: readiness does not matter.
Pools candidates(LoadBalancer const& balancer, HealthTable const& health, Family family,
                                   std::set<std::string> const* ready) {
  Pools out;
  for (auto const& pool : balancer.pools) {
    Candidates of_pool{pool.get(), {}};
    for (Endpoint const& endpoint : pool->endpoints) {
      if (endpoint.enabled && has_address(endpoint, family) && (ready == nullptr || ready->contains(endpoint.name))) {
        of_pool.endpoints.push_back({&endpoint, health.get(endpoint.slot), health.left_up(endpoint.slot)});
      }
    }
    if (!of_pool.endpoints.empty()) {
      out.push_back(std::move(of_pool));
    }
  }
  return out;
}

// The first pool with enough endpoints for which `fits`, or else the first with any.
template <class Fits>
Selection first_fitting(Pools const& pools, Fits fits) {
  Selection short_of_minimum;
  for (Candidates const& of_pool : pools) {
    Selection selection;
    selection.pool = of_pool.pool;
    for (Candidate const& candidate : of_pool.endpoints) {
      if (fits(candidate)) {
        selection.endpoints.push_back(candidate.endpoint);
      }
    }
    if (selection.endpoints.size() >= std::max<std::size_t>(of_pool.pool->minimum_origins, 1)) {
      return selection;
    }
    if (short_of_minimum.endpoints.empty() && !selection.endpoints.empty()) {
      short_of_minimum = std::move(selection);
    }
  }
  return short_of_minimum;
}

Selection last_up(Pools const& pools) {
  std::uint32_t latest = 0;
  for (Candidates const& of_pool : pools) {
    for (Candidate const& candidate : of_pool.endpoints) {
      latest = std::max(latest, candidate.left_up);
    }
  }
  // Nothing was ever up: every endpoint was 0, and all are as good.
  return first_fitting(pools, [latest](Candidate const& candidate) { return candidate.left_up == latest; });
}

Selection all_down(AllDown policy, Pools pools) {
  auto const any = [](Candidate const&) { return true; };
  Selection selection;
  switch (policy) {
    case AllDown::serve_all:
      selection = first_fitting(pools, any);
      break;
    case AllDown::fallback:
      pools.erase(pools.begin(), pools.end() - std::min<std::ptrdiff_t>(1, std::ssize(pools)));
      selection = first_fitting(pools, any);
      break;
    case AllDown::keep_last:
      selection = last_up(pools);
      break;
    case AllDown::empty:
      break;
  }
  selection.healthy = false;
  return selection;
}

}  // namespace

Selection select(LoadBalancer const& balancer, HealthTable const& health, Family family) {
  Pools pools = candidates(balancer, health, family, balancer.ready ? &*balancer.ready : nullptr);
  if (pools.empty() && balancer.ready) {
    pools = candidates(balancer, health, family, nullptr);
  }
  for (Health const wanted : {Health::up, Health::unknown}) {
    Selection selection =
        first_fitting(pools, [wanted](Candidate const& candidate) { return candidate.health == wanted; });
    if (!selection.endpoints.empty()) {
      return selection;
    }
  }
  return all_down(balancer.all_down, std::move(pools));
}

}  // namespace pool
