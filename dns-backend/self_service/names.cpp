#include "dns-backend/self_service/names.hpp"

#include "base/process/log.hpp"

#include <algorithm>

namespace self_service {
namespace {

// By this they are known.
constexpr char const* description = "made of the clusters by tenants.names";

steering::Balancer balancer_of(dns::Name const& name, std::vector<std::string> pools) {
  steering::Balancer balancer;
  balancer.name = name.text();
  balancer.description = description;
  balancer.default_pools = std::move(pools);
  return balancer;
}

}  // namespace

std::vector<steering::Balancer> wanted_names(std::vector<store::PoolRow> const& pools, NameTiers const& tiers) {
  std::vector<steering::Balancer> out;
  std::vector<std::string> all;
  auto const zone = tiers.cluster_zone.empty() ? dns::Name() : dns::Name::parse(tiers.cluster_zone);
  for (store::PoolRow const& pool : pools) {
    all.push_back(pool.name);
    auto const name = zone && !zone->is_root() ? zone->child(pool.name) : dns::Name();
    if (name && !name->is_root()) {
      out.push_back(balancer_of(*name, {pool.name}));
    }
  }
  auto const global = tiers.global.empty() ? dns::Name() : dns::Name::parse(tiers.global);
  if (global && !global->is_root() && !all.empty()) {
    out.push_back(balancer_of(*global, std::move(all)));
  }
  return out;
}

std::vector<std::string> names_to_remove(steering::Objects const& present,
                                         std::vector<steering::Balancer> const& wanted) {
  std::vector<std::string> out;
  for (auto const& [name, balancer] : present.load_balancers) {
    bool const stays = std::ranges::find(wanted, name, &steering::Balancer::name) != wanted.end();
    if (balancer.description == description && !stays) {
      out.push_back(name);
    }
  }
  return out;
}

net::Task<base::Result<void>> keep_names(store::Store& store, NameTiers tiers) {
  auto const pools = co_await store.pools();
  if (!pools) {
    co_return pools.error();
  }
  auto const present = co_await store.steering();
  if (!present) {
    co_return present.error();
  }
  std::vector<steering::Balancer> const wanted = wanted_names(*pools, tiers);
  for (std::string const& name : names_to_remove(*present, wanted)) {
    if (auto const gone = co_await store.delete_steering(steering::Kind::load_balancer, name); !gone) {
      co_return gone.error();
    }
  }
  for (steering::Balancer const& one : wanted) {
    auto const there = present->load_balancers.find(one.name);
    bool const others = there != present->load_balancers.end() && there->second.description != description;
    if (others || (there != present->load_balancers.end() && there->second == one)) {
      continue;
    }
    steering::Object object = one;
    auto const put = co_await store.put_steering(std::move(object));
    if (!put || !put->problems.empty()) {
      std::string const why = put ? base::text(put->problems) : put.error().what();
      process::log::warning("tenants", "a name of the clusters cannot be name={} why=\"{}\"", one.name, why);
    }
  }
  co_return base::Result<void>();
}

}  // namespace self_service
