#include "dns-backend/snapshot/persistent/balanced_names.hpp"

#include <algorithm>
#include <map>

namespace store {

namespace {

using Reached = std::map<std::string, pool::PoolPtr>;

void reach(pool::PoolPtr const& pool, Reached& out) {
  if (pool != nullptr && out.emplace(pool->name, pool).second) {
    for (pool::PoolPtr const& nested : pool->pools) {
      reach(nested, out);
    }
  }
}

Reached reached_by(pool::LoadBalancer const* balancer) {
  Reached out;
  if (balancer == nullptr) {
    return out;
  }
  for (pool::PoolPtr const& pool : balancer->pools) {
    reach(pool, out);
  }
  reach(balancer->fallback_pool, out);
  for (auto const& [region, pools] : balancer->region_pools) {
    for (pool::PoolPtr const& pool : pools) {
      reach(pool, out);
    }
  }
  return out;
}

}  // namespace

void BalancedNames::forget_endpoints(pool::Pool const& pool) {
  for (pool::Endpoint const& endpoint : pool.endpoints) {
    auto const* const present = pools_by_endpoint_.find(endpoint.name);
    std::vector<std::string> pools = present == nullptr ? std::vector<std::string>() : *present;
    std::erase(pools, pool.name);
    pools_by_endpoint_ = pools.empty() ? pools_by_endpoint_.erase(endpoint.name)
                                       : pools_by_endpoint_.insert(endpoint.name, std::move(pools));
  }
}

void BalancedNames::learn_endpoints(pool::Pool const& pool) {
  for (pool::Endpoint const& endpoint : pool.endpoints) {
    auto const* const present = pools_by_endpoint_.find(endpoint.name);
    std::vector<std::string> pools = present == nullptr ? std::vector<std::string>() : *present;
    if (std::find(pools.begin(), pools.end(), pool.name) == pools.end()) {
      pools.push_back(pool.name);
      pools_by_endpoint_ = pools_by_endpoint_.insert(endpoint.name, std::move(pools));
    }
  }
}

void BalancedNames::set(std::string_view key, pool::LoadBalancer const* before, pool::LoadBalancer const* now) {
  if (before == now) {
    return;
  }
  Reached const old = reached_by(before);
  Reached const next = reached_by(now);
  for (auto const& [name, pool] : old) {
    auto const* const users = next.contains(name) ? nullptr : by_pool_.find(name);
    if (users == nullptr) {
      continue;
    }
    Names names = users->names.erase(key);
    if (names.empty()) {
      forget_endpoints(*users->pool);
      by_pool_ = by_pool_.erase(name);
    } else {
      by_pool_ = by_pool_.insert(name, {users->pool, std::move(names)});
    }
  }
  std::shared_ptr<Item const> item;
  for (auto const& [name, pool] : next) {
    auto const* const users = by_pool_.find(name);
    bool const listed = users != nullptr && users->names.contains(key);
    bool const same_pool = users != nullptr && users->pool == pool;
    if (listed && same_pool) {
      continue;
    }
    if (item == nullptr) {
      item = std::make_shared<Item const>(Item{std::string(key)});
    }
    Names names = users == nullptr ? Names() : users->names;
    if (!same_pool) {
      if (users != nullptr) {
        forget_endpoints(*users->pool);
      }
      learn_endpoints(*pool);
    }
    by_pool_ = by_pool_.insert(name, {pool, listed ? names : names.insert(item)});
  }
}

std::vector<std::string> BalancedNames::pools_with(std::string_view endpoint) const {
  auto const* const found = pools_by_endpoint_.find(endpoint);
  return found == nullptr ? std::vector<std::string>() : *found;
}

BalancedNames::Names BalancedNames::names_of(std::string_view pool) const {
  auto const* const found = by_pool_.find(pool);
  return found == nullptr ? Names() : found->names;
}

}  // namespace store
