#include "dns-backend/steering/build.hpp"

#include "dns-backend/steering/address.hpp"
#include "dns-backend/steering/service_bindings.hpp"

#include <set>

namespace steering {

namespace {

class Pools {
 public:
  Pools(Objects const& objects, PoolValues const& others, SlotOf const& slot, PoolValues const& before)
      : objects_(objects), others_(others), slot_(slot), before_(before) {}

  PoolValues run() {
    for (auto const& [name, pool] : objects_.pools) {
      make(pool);
    }
    return std::move(made_);
  }

 private:
  pool::PoolPtr nested(std::string const& name) {
    auto const declared = objects_.pools.find(name);
    if (declared != objects_.pools.end()) {
      return open_.contains(name) ? nullptr : make(declared->second);
    }
    auto const other = others_.find(name);
    return other == others_.end() ? nullptr : other->second;
  }

  pool::PoolPtr make(Pool const& declared) {
    if (auto const done = made_.find(declared.name); done != made_.end()) {
      return done->second;
    }
    open_.insert(declared.name);
    auto value = std::make_shared<pool::Pool>();
    value->name = declared.name;
    value->site = declared.site;
    value->minimum_origins = declared.minimum_origins;
    value->enabled = declared.enabled;
    value->all_down = declared.all_down;
    value->origin_steering = declared.origin_steering;
    value->origins_max = declared.origins_max;
    value->coordinates = declared.coordinates;
    value->shed_at_permille = declared.shed_at_permille;
    for (Origin const& origin : declared.origins) {
      value->endpoints.push_back(endpoint(declared.name, origin));
    }
    for (std::string const& name : declared.pools) {
      if (pool::PoolPtr inner = nested(name)) {
        value->pools.push_back(std::move(inner));
      }
    }
    open_.erase(declared.name);
    auto const old = before_.find(declared.name);
    bool const same = old != before_.end() && *old->second == *value;
    return made_[declared.name] = same ? old->second : pool::PoolPtr(std::move(value));
  }

  [[nodiscard]] pool::Endpoint endpoint(std::string const& pool, Origin const& origin) const {
    pool::Endpoint out;
    out.name = endpoint_key(pool, origin.name);
    if (auto const address = parse_address(origin.address)) {
      out.address4 = address->v4;
      out.address6 = origin.address6.empty() ? address->v6 : origin.address6;
      out.target = address->target;
    }
    out.slot = slot_(out.name);
    out.enabled = origin.enabled;
    out.weight = origin.weight_permille;
    return out;
  }

  Objects const& objects_;
  PoolValues const& others_;
  SlotOf const& slot_;
  PoolValues const& before_;
  PoolValues made_;
  std::set<std::string> open_;  // on the way down
};

}  // namespace

PoolValues build_pools(Objects const& objects, PoolValues const& others, SlotOf const& slot, PoolValues const& before) {
  return Pools(objects, others, slot, before).run();
}

pool::LoadBalancer build_balancer(Balancer const& balancer, PoolValues const& pools, PoolValues const& others) {
  auto const value_of = [&](std::string const& name) -> pool::PoolPtr {
    if (auto const found = pools.find(name); found != pools.end()) {
      return found->second;
    }
    auto const found = others.find(name);
    return found == others.end() ? nullptr : found->second;
  };
  auto const values_of = [&](std::vector<std::string> const& names) {
    std::vector<pool::PoolPtr> values;
    for (std::string const& name : names) {
      if (pool::PoolPtr value = value_of(name)) {
        values.push_back(std::move(value));
      }
    }
    return values;
  };
  pool::LoadBalancer out;
  out.name = balancer.name;
  out.pools = values_of(balancer.default_pools);
  out.fallback_pool = value_of(balancer.fallback_pool);
  for (auto const& [code, names] : balancer.region_pools) {
    out.region_pools[code] = values_of(names);
  }
  out.pool_weights = balancer.pool_weights_permille;
  out.steering = balancer.steering_policy;
  out.ttl = balancer.ttl;
  out.failback_s = balancer.failback_s;
  for (ServiceBinding const& binding : balancer.service_bindings) {
    out.bindings.push_back(build_binding(binding));
  }
  return out;
}

bool same(pool::LoadBalancer const& a, pool::LoadBalancer const& b) {
  return a.name == b.name && a.pools == b.pools && a.fallback_pool == b.fallback_pool &&
         a.region_pools == b.region_pools && a.pool_weights == b.pool_weights && a.steering == b.steering &&
         a.ttl == b.ttl && a.failback_s == b.failback_s && a.ready == b.ready && a.bindings == b.bindings;
}

BalancerValues balancers(Objects const& objects, PoolValues const& pools, PoolValues const& others) {
  BalancerValues out;
  for (auto const& [name, balancer] : objects.load_balancers) {
    if (balancer.enabled) {
      out[name] = std::make_shared<pool::LoadBalancer const>(build_balancer(balancer, pools, others));
    }
  }
  return out;
}

}  // namespace steering
