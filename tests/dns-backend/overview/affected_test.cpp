#include "dns-backend/overview/affected.hpp"

#include <gtest/gtest.h>

namespace {

dns::Name name(std::string const& text) {
  return dns::Name::parse(text).value();
}

store::EntryPtr entry(std::string const& owner, std::shared_ptr<pool::LoadBalancer const> balancer) {
  store::Entry value;
  value.key = name(owner).key();
  value.balancer = std::move(balancer);
  return std::make_shared<store::Entry const>(std::move(value));
}

std::shared_ptr<pool::LoadBalancer const> balancer_of(std::string const& endpoint) {
  static std::map<std::string, pool::PoolPtr> pools;
  if (pools[endpoint] == nullptr) {
    auto pool = std::make_shared<pool::Pool>();
    pool->name = "pool of " + endpoint;
    pool->endpoints.emplace_back();
    pool->endpoints.back().name = endpoint;
    pools[endpoint] = pool;
  }
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->pools.push_back(pools[endpoint]);
  return balancer;
}

store::Snapshot snapshot_with_tenants(unsigned count, std::string const& apex = "example.org") {
  store::Snapshot snapshot;
  auto zone = std::make_shared<store::Zone>();
  zone->apex = name(apex);
  for (unsigned i = 0; i < count; ++i) {
    std::string const label = "t" + std::to_string(i);
    auto const balancer = balancer_of(i % 2 == 0 ? "even" : "odd");
    for (auto const& owner : {label + "." + apex, "*." + label + "." + apex}) {
      auto const value = entry(owner, balancer);
      zone->entries = zone->entries.insert(value);
      snapshot.balanced.set(value->key, nullptr, balancer.get());
    }
  }
  snapshot.zones = snapshot.zones.insert(zone->apex.key(), zone);
  return snapshot;
}

TEST(NamesAnswering, AreTheNamesOfBalancersWithTheEndpointAndTheSubtreesOfWildcards) {
  auto const touched = overview::names_answering(snapshot_with_tenants(2), {"even"});
  ASSERT_EQ(touched.size(), 2U);
  EXPECT_EQ(touched[0].name, name("t0.example.org"));
  EXPECT_FALSE(touched[0].subtree);
  EXPECT_EQ(touched[1].name, name("t0.example.org"));
  EXPECT_TRUE(touched[1].subtree);
}

TEST(NamesAnswering, AreNoneForAStranger) {
  EXPECT_TRUE(overview::names_answering(snapshot_with_tenants(3), {"nobody"}).empty());
}

TEST(NamesAnswering, BecomeTheWholeZoneWhenTheyAreMany) {
  auto const touched = overview::names_answering(snapshot_with_tenants(20), {"even"}, 10);
  ASSERT_EQ(touched.size(), 1U);
  EXPECT_EQ(touched[0].name, name("example.org"));
  EXPECT_TRUE(touched[0].subtree);
}

TEST(NamesAnswering, PassesOverTheRestOfAZoneThatHasTooMany) {
  store::Snapshot snapshot = snapshot_with_tenants(20);
  // A name of another zone that sorts behind, in the same pool.
  auto other = std::make_shared<store::Zone>();
  other->apex = name("example.zone");
  auto const balancer = balancer_of("even");
  other->entries = other->entries.insert(entry("www.example.zone", balancer));
  snapshot.zones = snapshot.zones.insert(other->apex.key(), other);
  snapshot.balanced.set(name("www.example.zone").key(), nullptr, balancer.get());
  auto const touched = overview::names_answering(snapshot, {"even", "odd"}, 10);
  ASSERT_EQ(touched.size(), 2U);
  EXPECT_EQ(touched[0].name, name("example.org"));
  EXPECT_TRUE(touched[0].subtree);
  EXPECT_EQ(touched[1].name, name("www.example.zone"));
  EXPECT_FALSE(touched[1].subtree);
}

TEST(NamesAnswering, CountsANameOnceThatReachesTheEndpointInTwoWays) {
  auto const touched = overview::names_answering(snapshot_with_tenants(2), {"even", "odd", "nobody"}, 4);
  EXPECT_EQ(touched.size(), 4U);
}

}  // namespace
