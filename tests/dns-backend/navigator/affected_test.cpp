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

TEST(NamesAnswering, PassesOverTheRestOfAZoneThatHasTooMany) {
  store::Snapshot snapshot = snapshot_with_tenants(20);
  // A name of another zone that sorts behind, in the same pool.
  auto other = std::make_shared<store::Zone>();
  other->apex = name("example.zone");
  auto const balancer = balancer_of("even");
  other->entries = other->entries.insert(entry("www.example.zone", balancer));
  snapshot.zones = snapshot.zones.insert(other->apex.key(), other);
  snapshot.balanced.set(name("www.example.zone").key(), nullptr, balancer.get());
  auto const touched = navigator::names_answering(snapshot, {"even", "odd"}, 10);
  ASSERT_EQ(touched.size(), 2U);
  EXPECT_EQ(touched[0].name, name("example.org"));
  EXPECT_TRUE(touched[0].subtree);
  EXPECT_EQ(touched[1].name, name("www.example.zone"));
  EXPECT_FALSE(touched[1].subtree);
}

TEST(NamesAnswering, CountsANameOnceThatReachesTheEndpointInTwoWays) {
  auto const touched = navigator::names_answering(snapshot_with_tenants(2), {"even", "odd", "nobody"}, 4);
  EXPECT_EQ(touched.size(), 4U);
}

steering::Objects checked_pool() {
  steering::Objects objects;
  steering::Monitor monitor;
  monitor.name = "web";
  monitor.type = "https";
  monitor.retries = 2;
  monitor.header["X-Check"] = "1";
  monitor.expected_body_pattern = "ok";
  monitor.follow_redirects = true;
  monitor.interval_ms = 700;
  monitor.consecutive_up = 4;
  steering::Pool pool;
  pool.name = "p";
  pool.monitor = "web";
  pool.origins = {{"a", "192.0.2.1"}, {"b", "2001:db8::1"}, {"c", "cdn.example.net."}, {"d", "192.0.2.4"}};
  pool.origins[1].port = 8443;
  pool.origins[2].probe_address = "10.0.0.3";
  pool.origins[3].enabled = false;
  objects.monitors["web"] = monitor;
  objects.pools["p"] = pool;
  objects.pools["unchecked"].origins = {{"x", "192.0.2.9"}};
  return objects;
}

TEST(WatchesOf, TakeTheMonitorOfTheOperatorsPools) {
  pool::HealthTable table;
  auto const watches = navigator::watches_of({}, table, checked_pool());
  ASSERT_EQ(watches.size(), 3U);
  EXPECT_EQ(watches[0].endpoint, "p/a");
  EXPECT_EQ(watches[0].slot, table.slot("p/a"));
  EXPECT_EQ(watches[0].check.type, probe::Type::https);
  EXPECT_EQ(watches[0].check.address, "192.0.2.1");
  EXPECT_EQ(watches[0].check.port, 443);
  EXPECT_EQ(watches[0].check.host, "");
  EXPECT_EQ(watches[0].check.retries, 2U);
  EXPECT_EQ(watches[0].check.header.at("X-Check"), "1");
  EXPECT_EQ(watches[0].check.expected_body_pattern, "ok");
  EXPECT_TRUE(watches[0].check.follow_redirects);
  EXPECT_FALSE(watches[0].check.allow_insecure);
  EXPECT_EQ(watches[0].interval.count(), 700);
  EXPECT_EQ(watches[0].thresholds.consecutive_up, 4U);
  EXPECT_EQ(watches[1].check.address, "2001:db8::1");
  EXPECT_EQ(watches[1].check.port, 8443) << "the origin's own";
  EXPECT_EQ(watches[2].check.address, "10.0.0.3");
  EXPECT_EQ(watches[2].check.host, "cdn.example.net") << "what the origin is called";
}

TEST(WatchesOf, LeaveADisabledPoolAlone) {
  pool::HealthTable table;
  auto objects = checked_pool();
  objects.pools["p"].enabled = false;
  EXPECT_TRUE(navigator::watches_of({}, table, objects).empty());
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
