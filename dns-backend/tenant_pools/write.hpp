// The rows of tenants' pools: numbers for what is new, quotas, names that are free, and the transaction.
//
// Failures: not_found (no such tenant or pool), quota (the plan's), refused (the platform's), changed (`if_match`, or
// what was seen is no longer so).
//
// Threads: put and remove on the store thread; the rest is pure.
#pragma once

#include "dns-backend/tenant_pools/read.hpp"
#include "dns-backend/tenants/life_cycle.hpp"

namespace tenant_pools {

// Origins of all tenants together: the rest of what may be checked is the operator's.
inline constexpr std::size_t origins_of_all_max = 5000;

// What of the objects is the tenant's.
steering::Objects own_of(steering::Objects const& objects, std::int64_t tenant);
// nullptr: it has none that it calls so.
steering::Pool const* find(steering::Objects const& own, std::string const& title);

// With the names of the row and of the origins: those that the pool has, else the lowest that are free. refused: the
// plan has no more pools.
base::Result<Wanted> place(steering::Objects const& own, std::int64_t tenant, Wanted wanted, tenants::Plan const& plan);

struct Wish {
  std::string label;
  steering::Objects seen;  // the tenant's own, from which `wanted` was placed
  Wanted wanted;
};

// What is wrong goes to `problems`, and then nothing is written; nor is it when the pool is so already. Yields
// Tenant::changed_at as it is with this commit.
base::Result<std::int64_t> put(store::Write const& write, Wish const& wish, tenants::Circumstances const& when,
                               base::Problems& problems);
// `seen`: the tenant's own, by which the caller judged what it may take away.
base::Result<void> remove(store::Write const& write, std::string const& label, std::string const& title,
                          steering::Objects const& seen, tenants::Circumstances const& when);

}  // namespace tenant_pools
