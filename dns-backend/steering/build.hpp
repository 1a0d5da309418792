// From declared objects to the values that lookups choose from.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/steering/objects.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace steering {

using PoolValues = std::map<std::string, pool::PoolPtr>;
using BalancerValues = std::map<std::string, std::shared_ptr<pool::LoadBalancer const>>;

// The place of an endpoint ("pool/origin") in the health table.
using SlotOf = std::function<std::uint32_t(std::string const&)>;

// Every pool as a value, nested ones within; `others` are the topology's. A value of `before` that would be equal is
// used again, so that what did not change is one object. A nested pool that is unknown, or would make a circle, is left
// out: check() lets neither in, but a row may come from elsewhere.
PoolValues build_pools(Objects const& objects, PoolValues const& others, SlotOf const& slot, PoolValues const& before);

// One load balancer over those pools. Pools that are unknown are left out.
pool::LoadBalancer build_balancer(Balancer const& balancer, PoolValues const& pools, PoolValues const& others);

// Whether both answer alike, given pools that are one object as long as they are equal.
bool same(pool::LoadBalancer const& a, pool::LoadBalancer const& b);

// Every enabled one, by name.
BalancerValues balancers(Objects const& objects, PoolValues const& pools, PoolValues const& others);

}  // namespace steering
