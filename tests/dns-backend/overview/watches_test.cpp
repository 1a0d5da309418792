#include "dns-backend/overview/watches.hpp"

#include <gtest/gtest.h>

namespace {

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
  auto const watches = overview::watches_of({}, table, checked_pool());
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
  EXPECT_TRUE(overview::watches_of({}, table, objects).empty());
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
    pool.host = "stream.example.";
    pool.endpoints.push_back({"a", "192.0.2.1", "", word == "push" ? "" : "192.0.2.1", true, 1});
    auto const watches = overview::watches_of({pool}, table);
    ASSERT_EQ(watches.size(), 1U) << word;
    EXPECT_EQ(watches[0].check.type, type) << word;
    EXPECT_EQ(watches[0].check.qname, word == "dns" ? "stream.example." : "") << word;
    EXPECT_EQ(watches[0].check.host, word == "dns" ? "" : "stream.example.") << word;
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
  auto const watches = overview::watches_of({pool}, table);
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
