// Which names answer from which endpoint: what a flip of its health may change, found without a walk over the zones.
//
// Kept by pool, since a pool has few endpoints and many names: endpoint -> pools with it -> names that reach the pool
// (directly, nested, by region, or as a fallback). A value in persistent maps: a copy is free, a change copies a path.
//
// Threads: immutable once it is part of a Snapshot.
#pragma once

#include "dns-backend/pool/pool.hpp"
#include "dns-backend/snapshot/persistent/persistent_map.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class BalancedNames {
 public:
  struct Item {
    std::string key;  // Name::key()
  };
  struct KeyOf {
    std::string_view operator()(Item const& item) const { return item.key; }
  };
  using Names = PersistentSet<Item, KeyOf>;  // in canonical order

  // The balancer of the name with this key was `before` and is `now`; nullptr: none.
  void set(std::string_view key, pool::LoadBalancer const* before, pool::LoadBalancer const* now);

  // Pools with this endpoint among their own.
  [[nodiscard]] std::vector<std::string> pools_with(std::string_view endpoint) const;
  // Names that may answer from the pool; empty when nothing does.
  [[nodiscard]] Names names_of(std::string_view pool) const;

 private:
  struct Users {
    pool::PoolPtr pool;
    Names names;
  };
  void forget_endpoints(pool::Pool const& pool);
  void learn_endpoints(pool::Pool const& pool);

  PersistentMap<std::string, Users> by_pool_;
  PersistentMap<std::string, std::vector<std::string>> pools_by_endpoint_;
};

}  // namespace store
