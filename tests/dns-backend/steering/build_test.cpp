#include "dns-backend/steering/build.hpp"

#include <gmock/gmock.h>

namespace {

using steering::Objects;
using testing::ElementsAre;
using testing::SizeIs;

std::uint32_t slot(std::string const& endpoint) {
  return static_cast<std::uint32_t>(endpoint.size());
}

Objects example() {
  Objects objects;
  steering::Pool inner;
  inner.name = "inner";
  inner.origins = {{"a", "192.0.2.1", "2001:db8::1", 0, 250, true, {}}, {"b", "2001:db8::2", {}, 0, 1000, false, {}}};
  steering::Pool outer;
  outer.name = "outer";
  outer.pools = {"inner", "edge"};
  outer.minimum_origins = 2;
  outer.coordinates = pool::Coordinates{52.4, 4.9};
  outer.all_down = pool::AllDown::keep_last;
  outer.shed_at_permille = 800;
  steering::Balancer balancer;
  balancer.name = "www.example.org.";
  balancer.default_pools = {"outer"};
  balancer.fallback_pool = "edge";
  balancer.region_pools["DE"] = {"inner"};
  balancer.pool_weights_permille["outer"] = 500;
  balancer.steering_policy = pool::Steering::geo;
  balancer.ttl = 7;
  balancer.failback_s = 60;
  balancer.service_bindings = {{"HTTPS", 1, ".", {}, {"h2"}, false, 0, {}, true}};
  objects.pools = {{"inner", inner}, {"outer", outer}};
  objects.load_balancers[balancer.name] = balancer;
  return objects;
}

steering::PoolValues topology() {
  auto edge = std::make_shared<pool::Pool>();
  edge->name = "edge";
  return {{"edge", edge}};
}

TEST(BuildPools, MakesEndpointsAndNestsPools) {
  auto const others = topology();
  auto const pools = steering::build_pools(example(), others, slot, {});
  pool::Pool const& inner = *pools.at("inner");
  ASSERT_THAT(inner.endpoints, SizeIs(2));
  EXPECT_EQ(inner.endpoints[0].name, "inner/a");
  EXPECT_EQ(inner.endpoints[0].address4, "192.0.2.1");
  EXPECT_EQ(inner.endpoints[0].address6, "2001:db8::1");
  EXPECT_EQ(inner.endpoints[0].slot, slot("inner/a"));
  EXPECT_EQ(inner.endpoints[0].weight, 250U);
  EXPECT_EQ(inner.endpoints[1].address4, "");
  EXPECT_EQ(inner.endpoints[1].address6, "2001:db8::2");
  EXPECT_FALSE(inner.endpoints[1].enabled);
  pool::Pool const& outer = *pools.at("outer");
  EXPECT_THAT(outer.pools, ElementsAre(pools.at("inner"), others.at("edge")));
  EXPECT_EQ(outer.minimum_origins, 2U);
  EXPECT_EQ(outer.coordinates, (pool::Coordinates{52.4, 4.9}));
  EXPECT_EQ(outer.all_down, pool::AllDown::keep_last);
  EXPECT_EQ(outer.shed_at_permille, 800U);
}

TEST(BuildPools, UsesTheSameObjectsAgainUnlessTheyChanged) {
  auto const others = topology();
  Objects objects = example();
  auto const before = steering::build_pools(objects, others, slot, {});
  auto const again = steering::build_pools(objects, others, slot, before);
  EXPECT_EQ(again.at("inner"), before.at("inner"));
  EXPECT_EQ(again.at("outer"), before.at("outer"));
  objects.pools["inner"].monitor = "another";
  EXPECT_EQ(steering::build_pools(objects, others, slot, before).at("inner"), before.at("inner"))
      << "how to check is no part of the answer";
  objects.pools["inner"].origins[0].weight_permille = 1;
  auto const changed = steering::build_pools(objects, others, slot, before);
  EXPECT_NE(changed.at("inner"), before.at("inner"));
  EXPECT_NE(changed.at("outer"), before.at("outer")) << "it holds the other";
}

TEST(BuildPools, EndsWhereRowsMakeACircle) {
  Objects objects = example();
  objects.pools["inner"].pools = {"outer", "nowhere"};
  auto const pools = steering::build_pools(objects, {}, slot, {});
  EXPECT_THAT(pools, SizeIs(2));
}

TEST(Balancers, CarryEveryFieldAndAreAbsentWhileDisabled) {
  auto const others = topology();
  Objects objects = example();
  auto const pools = steering::build_pools(objects, others, slot, {});
  auto const made = steering::balancers(objects, pools, others);
  pool::LoadBalancer const& one = *made.at("www.example.org.");
  EXPECT_EQ(one.name, "www.example.org.");
  EXPECT_THAT(one.pools, ElementsAre(pools.at("outer")));
  EXPECT_EQ(one.fallback_pool, others.at("edge"));
  EXPECT_THAT(one.region_pools.at("DE"), ElementsAre(pools.at("inner")));
  EXPECT_EQ(one.pool_weights.at("outer"), 500U);
  EXPECT_EQ(one.steering, pool::Steering::geo);
  EXPECT_EQ(one.ttl, 7U);
  EXPECT_EQ(one.failback_s, 60U);
  EXPECT_THAT(one.bindings, ElementsAre(pool::Binding{65, "1 . alpn=h2", "", true}));
  EXPECT_TRUE(steering::same(one, *steering::balancers(objects, pools, others).at("www.example.org.")));
  objects.load_balancers["www.example.org."].ttl = 8;
  EXPECT_FALSE(steering::same(one, *steering::balancers(objects, pools, others).at("www.example.org.")));
  objects = example();
  objects.load_balancers["www.example.org."].service_bindings[0].port = 8443;
  EXPECT_FALSE(steering::same(one, *steering::balancers(objects, pools, others).at("www.example.org.")));
  objects.load_balancers["www.example.org."].enabled = false;
  EXPECT_TRUE(steering::balancers(objects, pools, others).empty());
}

}  // namespace
