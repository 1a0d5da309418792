#include "dns-backend/pool/origins.hpp"

#include "world.hpp"

#include <gmock/gmock.h>

#include <set>

namespace pool {
namespace {

using probe::Health;
using testing::ElementsAre;

class OriginsTest : public testing::Test {
 protected:
  OriginsTest() { world_.pool("p", "a+ b+ c+").pool("q", "z+"); }
  Pool& pool() { return world_["p"]; }
  void weigh(std::string const& endpoint, std::uint32_t weight) { world_.endpoint("p", endpoint).weight = weight; }

  World world_;
};

TEST_F(OriginsTest, AllAreNamedUpToTheMost) {
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b", "c"));
  pool().origins_max = 2;
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b"));
  world_.set("a", Health::down);
  EXPECT_THAT(world_.answer(), ElementsAre("b", "c"));
}

TEST_F(OriginsTest, WeightZeroWaitsUntilNothingElseIsThere) {
  weigh("a", 0);
  EXPECT_THAT(world_.answer(), ElementsAre("b", "c"));
  world_.set("b", Health::down);
  world_.set("c", Health::down);
  EXPECT_THAT(world_.answer(), ElementsAre("a")) << "before another pool";
  world_.set("b", Health::up);
  world_.set("c", Health::up);
  for (OriginSteering const steering : {OriginSteering::random, OriginSteering::hash, OriginSteering::least_load}) {
    pool().origin_steering = steering;
    for (world_.now_s = 0; world_.now_s < 3000; world_.now_s += 30) {
      ASSERT_NE(world_.answer(), std::vector<std::string>{"a"});
    }
  }
  weigh("b", 0);
  weigh("c", 0);
  pool().origin_steering = OriginSteering::all;
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b", "c"));
  pool().origin_steering = OriginSteering::random;
  EXPECT_EQ(world_.answer().size(), 1U);
}

TEST_F(OriginsTest, WhoIsTooBusyIsLeftOutWhileAnotherIsNot) {
  pool().shed_at_permille = 800;
  world_.load("a", 800);
  world_.load("b", 799);
  EXPECT_THAT(world_.answer(), ElementsAre("b", "c")) << "of c nothing is known";
  world_.load("b", 900);
  EXPECT_THAT(world_.answer(), ElementsAre("c"));
  world_.load("c", 1000);
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b", "c")) << "all the same";
  pool().shed_at_permille = 0;
  world_.load("c", 0);
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b", "c")) << "0: never";
  pool().shed_at_permille = 800;
  world_["p"].minimum_origins = 3;
  EXPECT_THAT(world_.answer(), ElementsAre("c")) << "busy endpoints still count for the minimum";
  weigh("c", 0);
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b")) << "weight 0 stays weight 0";
}

TEST_F(OriginsTest, LeastLoadNamesTheLowest) {
  pool().origin_steering = OriginSteering::least_load;
  EXPECT_THAT(world_.answer(), ElementsAre("a")) << "nothing is known: the first";
  world_.load("a", 300);
  world_.load("b", 100);
  EXPECT_THAT(world_.answer(), ElementsAre("b")) << "c counts as their mean";
  pool().origins_max = 2;
  EXPECT_THAT(world_.answer(), ElementsAre("b", "c"));
  world_.load("c", 301);
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b")) << "in configuration order";
  pool().origins_max = 9;
  EXPECT_THAT(world_.answer(), ElementsAre("a", "b", "c"));
}

TEST_F(OriginsTest, RandomDrawsByWeightOncePerTtl) {
  pool().origin_steering = OriginSteering::random;
  world_.balancer.ttl = 20;
  weigh("a", 200);
  weigh("b", 300);
  weigh("c", 500);
  std::map<std::string, int> counts;
  for (int step = 0; step < 6000; ++step) {
    world_.now_s = step * 20;
    auto const now = world_.answer();
    ASSERT_EQ(now.size(), 1U);
    ++counts[now[0]];
    world_.now_s += 19;
    ASSERT_EQ(world_.answer(), now) << "two lookups of one query see the same";
  }
  EXPECT_NEAR(counts["a"], 1200, 150);
  EXPECT_NEAR(counts["b"], 1800, 150);
  EXPECT_NEAR(counts["c"], 3000, 150);
  pool().origins_max = 2;
  EXPECT_EQ(world_.answer().size(), 2U);
  EXPECT_EQ(world_.selected().scope_bits, 0U);
}

TEST_F(OriginsTest, HashKeepsANetworkWhereItIs) {
  pool().origin_steering = OriginSteering::hash;
  std::map<std::string, int> counts;
  weigh("c", 2000);
  for (int network = 0; network < 4000; ++network) {
    std::string const prefix = "10." + std::to_string(network / 256) + "." + std::to_string(network % 256) + ".";
    auto const before = world_.answer_to(prefix + "7");
    ASSERT_EQ(before, world_.answer_to(prefix + "8"));
    ++counts[before.at(0)];
    if (before.at(0) != "b") {
      world_.set("b", Health::down);
      ASSERT_EQ(world_.answer(), before) << "it is none of b's";
      world_.set("b", Health::up);
    }
  }
  EXPECT_NEAR(counts["a"], 1000, 120);
  EXPECT_NEAR(counts["b"], 1000, 120);
  EXPECT_NEAR(counts["c"], 2000, 150);
  EXPECT_EQ(world_.selected().scope_bits, 24U);
  world_.client = "2001:db8::/48";
  EXPECT_EQ(world_.selected().scope_bits, 48U);
  world_.client = "";
  EXPECT_EQ(world_.selected().scope_bits, 1U);
  world_.set("a", Health::down);
  world_.set("b", Health::down);
  world_.client = "10.0.0.1";
  EXPECT_EQ(world_.selected().scope_bits, 0U) << "there is one for everybody";
}

TEST_F(OriginsTest, ANestedPoolsChoiceHasItsScopeInTheAnswer) {
  pool().endpoints.clear();
  pool().pools = {world_.make("n", "x+ y+")};
  world_["n"].origin_steering = OriginSteering::hash;
  world_.client = "10.0.0.1";
  EXPECT_EQ(world_.answer().size(), 1U);
  EXPECT_EQ(world_.selected().scope_bits, 24U);
}

// Two nested pools may draw the same endpoint, and then the outer one has too few: the client decides about the pool
// after it.
TEST_F(OriginsTest, ANestedPoolsChoiceHasItsScopeEvenWhereAnotherPoolAnswers) {
  pool().endpoints.clear();
  pool().minimum_origins = 2;
  pool().pools = {world_.make("n", "x+ y+"), world_.make("m", "x+ v+")};
  for (char const* const nested : {"n", "m"}) {
    world_[nested].origin_steering = OriginSteering::hash;
  }
  std::set<std::vector<std::string>> answers;
  for (int network = 0; network < 50; ++network) {
    answers.insert(world_.answer_to("10.0." + std::to_string(network) + ".1"));
    EXPECT_EQ(world_.selected().scope_bits, 24U);
  }
  EXPECT_TRUE(answers.contains({"z"}));
  EXPECT_EQ(answers.size(), 4U) << "x and v, y and x, y and v, or too few";
}

}  // namespace
}  // namespace pool
