#include "dns-backend/pool/candidates.hpp"

#include <algorithm>

namespace pool {
namespace {

bool has(Endpoint const& endpoint, Family family) {
  switch (family) {
    case Family::ipv4:
      return !endpoint.address4.empty();
    case Family::ipv6:
      return !endpoint.address6.empty();
    case Family::name:
      return !endpoint.target.empty();
    case Family::any:
      break;
  }
  return !endpoint.address4.empty() || !endpoint.address6.empty() || !endpoint.target.empty();
}

bool serves(Pool const& pool, Family family, unsigned depth = 0) {
  return pool.enabled && depth <= nesting_max &&
         (std::any_of(pool.endpoints.begin(), pool.endpoints.end(),
                      [family](Endpoint const& endpoint) { return endpoint.enabled && has(endpoint, family); }) ||
          std::any_of(pool.pools.begin(), pool.pools.end(),
                      [&](PoolPtr const& nested) { return nested != nullptr && serves(*nested, family, depth + 1); }));
}

bool any_serves(std::vector<PoolPtr> const& pools, Family family) {
  return std::any_of(pools.begin(), pools.end(),
                     [family](PoolPtr const& pool) { return pool != nullptr && serves(*pool, family); });
}

bool mentions(PoolPtr const& pool, std::set<std::string> const& endpoints, unsigned depth = 0) {
  return pool != nullptr && depth <= nesting_max &&
         (std::any_of(pool->endpoints.begin(), pool->endpoints.end(),
                      [&](Endpoint const& endpoint) { return endpoints.contains(endpoint.name); }) ||
          std::any_of(pool->pools.begin(), pool->pools.end(),
                      [&](PoolPtr const& nested) { return mentions(nested, endpoints, depth + 1); }));
}

// Of the pools that answer while anything works.
bool usually_serves(LoadBalancer const& balancer, Family family) {
  return any_serves(balancer.pools, family) ||
         (balancer.steering == Steering::geo &&
          std::any_of(balancer.region_pools.begin(), balancer.region_pools.end(),
                      [family](auto const& region) { return any_serves(region.second, family); }));
}

}  // namespace

bool serves(LoadBalancer const& balancer, Family family) {
  auto const served = [&balancer](Family kind) {
    // Clients prefer IPv6: one that only the fallback pool has would draw all of them there. So that pool's kinds count
    // only where it is all there is.
    bool const usually = usually_serves(balancer, Family::any);
    return usually ? usually_serves(balancer, kind)
                   : balancer.fallback_pool != nullptr && serves(*balancer.fallback_pool, kind);
  };
  return served(family) && (family != Family::name || (!served(Family::ipv4) && !served(Family::ipv6)));
}

bool mentions(LoadBalancer const& balancer, std::set<std::string> const& endpoints) {
  auto const any = [&endpoints](std::vector<PoolPtr> const& pools) {
    return std::any_of(pools.begin(), pools.end(), [&](PoolPtr const& pool) { return mentions(pool, endpoints); });
  };
  return any(balancer.pools) || mentions(balancer.fallback_pool, endpoints) ||
         std::any_of(balancer.region_pools.begin(), balancer.region_pools.end(),
                     [&any](auto const& region) { return any(region.second); });
}

std::size_t Candidates::add(Pool const& pool, unsigned depth) {
  std::size_t const number = nodes_.size();
  nodes_.push_back({&pool, all_.size(), all_.size(), number + 1});
  if (!pool.enabled) {
    return number;
  }
  for (Endpoint const& endpoint : pool.endpoints) {
    if (endpoint.enabled && has(endpoint, family_)) {
      HealthTable const& health = asking_.health;
      all_.push_back({&endpoint, health.view(endpoint.slot), health.load_permille(endpoint.slot),
                      health.stable_s(endpoint.slot), !balancer_.ready || balancer_.ready->contains(endpoint.name)});
    }
  }
  nodes_[number].last = all_.size();
  for (PoolPtr const& nested : pool.pools) {
    if (nested != nullptr && depth < nesting_max) {
      add(*nested, depth + 1);
    }
  }
  nodes_[number].end = nodes_.size();
  return number;
}

void Candidates::settle_readiness() {
  ready_only_ = balancer_.ready.has_value() &&
                std::any_of(all_.begin(), all_.end(), [](Candidate const& candidate) { return candidate.ready; });
}

std::size_t Candidates::end_of(std::size_t node) const {
  std::size_t const after = nodes_[node].end;
  return after < nodes_.size() ? nodes_[after].first : all_.size();
}

bool Candidates::any_in(std::size_t node) const {
  for (std::size_t i = nodes_[node].first; i < end_of(node); ++i) {
    if (counts(all_[i])) {
      return true;
    }
  }
  return false;
}

bool Candidates::any() const {
  return std::any_of(all_.begin(), all_.end(), [this](Candidate const& candidate) { return counts(candidate); });
}

std::optional<double> Candidates::mean_load(std::size_t node) const {
  double sum = 0;
  double count = 0;
  for (std::size_t i = nodes_[node].first; i < end_of(node); ++i) {
    Candidate const& one = all_[i];
    if (counts(one) && one.view.health == probe::Health::up && one.load != HealthTable::load_unknown) {
      sum += one.load;
      ++count;
    }
  }
  return count == 0 ? std::nullopt : std::optional<double>(sum / count);
}

}  // namespace pool
