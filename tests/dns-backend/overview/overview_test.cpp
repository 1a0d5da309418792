#include "dns-backend/overview/overview.hpp"

#include "dns-backend/pool/select.hpp"

#include <gmock/gmock.h>

namespace {

using probe::Health;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

store::PoolRow cluster(std::string const& name, std::vector<std::string> const& nodes) {
  store::PoolRow row;
  row.name = name;
  row.site = "ams";
  for (std::string const& node : nodes) {
    row.endpoints.push_back({node, "192.0.2.1", "", "192.0.2.1"});
  }
  return row;
}

steering::Objects declared() {
  steering::Objects objects;
  for (char const* const name : {"first", "second", "outer"}) {
    objects.pools[name].name = name;
  }
  objects.pools["first"].origins = {{"o", "192.0.2.1"}, {"off", "192.0.2.2"}};
  objects.pools["first"].origins[1].enabled = false;
  objects.pools["first"].site = "ams";
  objects.pools["second"].origins = {{"o", "192.0.2.3"}};
  objects.pools["second"].site = "nyc";
  objects.pools["outer"].pools = {"first", "edge"};
  auto const balancer = [&objects](std::string const& name) -> steering::Balancer& {
    objects.load_balancers[name].name = name;
    objects.load_balancers[name].default_pools = {"first", "second"};
    return objects.load_balancers[name];
  };
  balancer("plain.example.org.");
  balancer("back.example.org.").failback_s = 60;
  balancer("*.nested.example.org.").failback_s = 600;
  balancer("*.nested.example.org.").default_pools = {"outer"};
  balancer("off.example.org.").failback_s = 60;
  balancer("off.example.org.").enabled = false;
  balancer("mesh.example.org.").steering_policy = pool::Steering::mesh;
  return objects;
}

dns::Name name(std::string const& text) {
  return dns::Name::parse(text).value();
}

class OverviewTest : public testing::Test {
 protected:
  OverviewTest() : all(overview::overview_of({cluster("edge", {"edge-1", "edge-2"})}, declared(), table)) {}
  void set(std::string const& endpoint, Health health, std::uint32_t at_s = 0) {
    table.set(table.slot(endpoint), health, std::int64_t{at_s} * 1000);
  }
  overview::Failbacks failbacks(std::int64_t since_s, std::int64_t now_s) {
    return overview::failbacks(all.failing_back, table, since_s, now_s);
  }

  pool::HealthTable table;
  overview::Overview all;
};

TEST_F(OverviewTest, HasThePoolsOfTheTopologyAndTheOperators) {
  std::vector<std::string> pools;
  for (auto const& pool : all.pools) {
    pools.push_back(pool->name);
  }
  EXPECT_THAT(pools, ElementsAre("edge", "first", "outer", "second"));
}

TEST_F(OverviewTest, KnowsWhichNamesFailBackAndWhatTheyReach) {
  ASSERT_EQ(all.failing_back.size(), 2U) << "neither the plain nor the disabled one";
  EXPECT_EQ(all.failing_back[0].name, (store::Touched{name("nested.example.org"), true})) << "a wildcard is a subtree";
  EXPECT_THAT(all.failing_back[0].slots,
              testing::UnorderedElementsAre(table.slot("first/o"), table.slot("edge-1"), table.slot("edge-2")));
  EXPECT_EQ(all.failing_back[1].name, (store::Touched{name("back.example.org"), false}));
  EXPECT_THAT(all.failing_back[1].slots, testing::UnorderedElementsAre(table.slot("first/o"), table.slot("second/o")));
}

TEST_F(OverviewTest, NothingFailsBackWhileNothingIsUp) {
  set("first/o", Health::down, 1000);
  EXPECT_THAT(failbacks(0, 100000).names, IsEmpty());
  EXPECT_FALSE(failbacks(0, 100000).next_s);
}

TEST_F(OverviewTest, ANameFailsBackOnceAtItsMoment) {
  set("first/o", Health::up, 1000);
  auto const before = failbacks(1000, 1059);
  EXPECT_THAT(before.names, IsEmpty());
  EXPECT_EQ(before.next_s, 1060);
  auto const at = failbacks(1059, 1060);
  ASSERT_EQ(at.names.size(), 1U);
  EXPECT_EQ(at.names[0].name, name("back.example.org"));
  EXPECT_EQ(at.next_s, 1600) << "the other name's";
  EXPECT_THAT(failbacks(1060, 1061).names, IsEmpty()) << "said already";
  EXPECT_EQ(failbacks(1060, 1600).names.size(), 1U);
  EXPECT_FALSE(failbacks(1600, 1601).next_s);
  EXPECT_EQ(failbacks(1000, 5000).names.size(), 2U) << "who looks late misses nothing";
}

TEST_F(OverviewTest, AFallBeforeTheMomentTakesItBack) {
  set("first/o", Health::up, 1000);
  set("first/o", Health::down, 1030);
  EXPECT_FALSE(failbacks(1030, 1031).next_s);
  set("first/o", Health::up, 1040);
  EXPECT_EQ(failbacks(1040, 1041).next_s, 1100);
}

// The moment is the one at which select() takes the earlier pool again.
TEST_F(OverviewTest, TheMomentIsWhenTheAnswerChanges) {
  set("second/o", Health::up, 500);
  set("first/o", Health::up, 1000);
  pool::LoadBalancer balancer;
  balancer.name = "back.example.org.";
  balancer.pools = {all.pools[1], all.pools[3]};
  balancer.failback_s = 60;
  auto const answered = [&](std::int64_t now_s) {
    return pool::select(balancer, {.health = table, .now_s = now_s}).pool->name;
  };
  std::int64_t const moment = failbacks(1000, 1001).next_s.value_or(0);
  EXPECT_EQ(answered(moment - 1), "second");
  EXPECT_EQ(answered(moment), "first");
}

TEST_F(OverviewTest, NamesByMeshAreReorderedWhenTheOrderOfTheirSitesIs) {
  ASSERT_EQ(all.by_mesh.size(), 1U);
  EXPECT_THAT(all.by_mesh[0].sites, ElementsAre("ams", "nyc"));
  geo::SiteCosts const near_ams{{"ams", 10}, {"nyc", 20}};
  geo::SiteCosts const nearer{{"ams", 15}, {"nyc", 16}, {"sin", 1}};
  geo::SiteCosts const near_nyc{{"ams", 30}, {"nyc", 20}};
  geo::SiteCosts const lost_ams{{"nyc", 20}};
  auto const count = [this](geo::SiteCosts const* before, geo::SiteCosts const* after) {
    return overview::reordered(all.by_mesh, before, after).size();
  };
  EXPECT_EQ(count(nullptr, &near_ams), 0U) << "as configured";
  EXPECT_EQ(count(&near_ams, &nearer), 0U) << "other costs, the same order";
  EXPECT_EQ(count(&near_ams, &near_nyc), 1U);
  EXPECT_EQ(count(&near_ams, &lost_ams), 1U) << "what cannot be reached comes last";
  EXPECT_EQ(count(&lost_ams, nullptr), 1U);
}

TEST_F(OverviewTest, MetricsCountTheEndpointsOfEachPoolByHealth) {
  set("edge-1", Health::up, 1);
  set("edge-2", Health::draining, 1);
  set("first/o", Health::down, 1);
  std::string const text = overview::pool_metrics(all.pools, table);
  for (char const* const line : {
           "navigator_pool_endpoints{health=\"up\",pool=\"edge\"} 1\n",
           "navigator_pool_endpoints{health=\"draining\",pool=\"edge\"} 1\n",
           "navigator_pool_endpoints{health=\"down\",pool=\"first\"} 1\n",
           "navigator_pool_endpoints{health=\"unknown\",pool=\"first\"} 0\n",
           "navigator_pool_endpoints{health=\"up\",pool=\"outer\"} 1\n",
           "navigator_pool_endpoints{health=\"unknown\",pool=\"second\"} 1\n",
           "navigator_pool_up{pool=\"edge\"} 1\n",
           "navigator_pool_up{pool=\"first\"} 0\n",
           "navigator_pool_up{pool=\"outer\"} 1\n",
           "navigator_pool_up{pool=\"second\"} 0\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  std::erase_if(all.pools, [](auto const& pool) { return pool->name == "first"; });
  EXPECT_THAT(overview::pool_metrics(all.pools, table), Not(HasSubstr("\"first\"")));
}

TEST_F(OverviewTest, APoolIsUpOnlyWithItsMinimumAndANestedOneBelowItsOwnGivesNothing) {
  set("edge-1", Health::up, 1);
  set("edge-2", Health::up, 1);
  auto const up = [this](pool::Pool const& pool) {
    std::string const text = overview::pool_metrics({std::make_shared<pool::Pool const>(pool)}, table);
    return text.find("navigator_pool_up{pool=\"" + pool.name + "\"} 1\n") != std::string::npos;
  };
  pool::Pool edge = *all.pools[0];
  edge.minimum_origins = 2;
  EXPECT_TRUE(up(edge));
  edge.minimum_origins = 3;
  EXPECT_FALSE(up(edge));
  pool::Pool outer;
  outer.name = "outer";
  outer.pools = {std::make_shared<pool::Pool const>(edge)};
  EXPECT_FALSE(up(outer));
  edge.minimum_origins = 1;
  edge.origin_steering = pool::OriginSteering::random;
  outer.pools = {std::make_shared<pool::Pool const>(edge)};
  EXPECT_TRUE(up(outer));
  outer.minimum_origins = 2;
  EXPECT_FALSE(up(outer)) << "it answers one of them, not both";
  edge.enabled = false;
  EXPECT_FALSE(up(edge));
}

}  // namespace
