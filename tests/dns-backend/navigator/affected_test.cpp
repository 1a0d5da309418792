#include "dns-backend/navigator/affected.hpp"

#include <gtest/gtest.h>

namespace {

dns::Name name(std::string const& text) { return dns::Name::parse(text).value(); }

store::EntryPtr entry(std::string const& owner, std::shared_ptr<pool::LoadBalancer const> balancer) {
  store::Entry value;
  value.key = name(owner).key();
  value.balancer = std::move(balancer);
  return std::make_shared<store::Entry const>(std::move(value));
}

std::shared_ptr<pool::LoadBalancer const> balancer_of(std::string const& endpoint) {
  pool::Endpoint origin;
  origin.name = endpoint;
  auto pool = std::make_shared<pool::Pool>();
  pool->endpoints.push_back(origin);
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->pools.push_back(pool);
  return balancer;
}

store::Snapshot snapshot_with_tenants(unsigned count) {
  auto zone = std::make_shared<store::Zone>();
  zone->apex = name("example.org");
  for (unsigned i = 0; i < count; ++i) {
    std::string const label = "t" + std::to_string(i);
    auto const balancer = balancer_of(i % 2 == 0 ? "even" : "odd");
    for (auto const& owner : {label + ".example.org", "*." + label + ".example.org"}) {
      auto const value = entry(owner, balancer);
      zone->entries = zone->entries.insert(value);
    }
  }
  store::Snapshot snapshot;
  snapshot.zones = snapshot.zones.insert(zone->apex.key(), zone);
  return snapshot;
}

TEST(NamesAnswering, AreTheNamesOfBalancersWithTheEndpointAndTheSubtreesOfWildcards) {
  auto const touched = navigator::names_answering(snapshot_with_tenants(2), {"even"});
  ASSERT_EQ(touched.size(), 2U);
  EXPECT_EQ(touched[0].name, name("t0.example.org"));
  EXPECT_FALSE(touched[0].subtree);
  EXPECT_EQ(touched[1].name, name("t0.example.org"));
  EXPECT_TRUE(touched[1].subtree);
}

TEST(NamesAnswering, AreNoneForAStranger) {
  EXPECT_TRUE(navigator::names_answering(snapshot_with_tenants(3), {"nobody"}).empty());
}

TEST(NamesAnswering, BecomeTheWholeZoneWhenTheyAreMany) {
  auto const touched = navigator::names_answering(snapshot_with_tenants(20), {"even"}, 10);
  ASSERT_EQ(touched.size(), 1U);
  EXPECT_EQ(touched[0].name, name("example.org"));
  EXPECT_TRUE(touched[0].subtree);
}

TEST(WatchesOf, KnowEveryTypeOfMonitorAndThatAPushNeedsNoAddress) {
  pool::HealthTable table;
  for (auto const& [word, type] : std::map<std::string, probe::Type>{{"tcp", probe::Type::tcp},
                                                                     {"http", probe::Type::http},
                                                                     {"https", probe::Type::https},
                                                                     {"dns", probe::Type::dns},
                                                                     {"icmp", probe::Type::icmp},
                                                                     {"push", probe::Type::push}}) {
    store::PoolRow pool;
    pool.type = word;
    pool.endpoints.push_back({"a", "192.0.2.1", "", word == "push" ? "" : "192.0.2.1", true, 1});
    auto const watches = navigator::watches_of({pool}, table);
    ASSERT_EQ(watches.size(), 1U) << word;
    EXPECT_EQ(watches[0].check.type, type) << word;
  }
}

TEST(WatchesOf, SkipDisabledEndpointsAndCarryTheMonitor) {
  store::PoolRow pool;
  pool.type = "http";
  pool.port = 8080;
  pool.interval_ms = 700;
  pool.timeout_ms = 300;
  pool.consecutive_down = 4;
  pool.endpoints.push_back({"a", "192.0.2.1", "", "192.0.2.1", true, 1});
  pool.endpoints.push_back({"b", "192.0.2.2", "", "192.0.2.2", false, 1});
  pool::HealthTable table;
  auto const watches = navigator::watches_of({pool}, table);
  ASSERT_EQ(watches.size(), 1U);
  EXPECT_EQ(watches[0].endpoint, "a");
  EXPECT_EQ(watches[0].slot, table.slot("a"));
  EXPECT_EQ(watches[0].check.type, probe::Type::http);
  EXPECT_EQ(watches[0].check.port, 8080);
  EXPECT_EQ(watches[0].interval.count(), 700);
  EXPECT_EQ(watches[0].check.timeout.count(), 300);
  EXPECT_EQ(watches[0].thresholds.consecutive_down, 4U);
}

}  // namespace
