#include "dns-backend/pool/steering.hpp"

#include "world.hpp"

#include "dns-backend/geo/cidr_map.hpp"

#include <gmock/gmock.h>

#include <set>

namespace pool {
namespace {

using probe::Health;
using testing::ElementsAre;
using testing::SizeIs;

// Three pools of one endpoint each, the first coordinate of a place by its network.
class SteeringTest : public testing::Test {
 protected:
  SteeringTest() {
    world_.pool("ams", "a+").pool("fra", "f+").pool("syd", "s+");
    world_.balancer.name = "www.example.org.";
    world_.locator = places_.get();
  }
  // Which endpoint answers `client` when those of `down` are down.
  std::string first(std::string const& client, std::vector<std::string> const& down = {}) {
    for (std::string const& endpoint : down) {
      world_.set(endpoint, Health::down);
    }
    auto const answered = world_.answer_to(client);
    for (std::string const& endpoint : down) {
      world_.set(endpoint, Health::up);
    }
    return answered.size() == 1 ? answered[0] : "?";
  }
  unsigned scope(std::string const& client) {
    world_.client = client;
    return world_.selected().scope_bits;
  }

  World world_;
  std::shared_ptr<geo::CidrMap const> places_ = *geo::CidrMap::parse(
      "192.0.2.0/24 NL 52,5\n198.51.100.0/24 AU -34,151\n203.0.113.0/25 office\n2001:db8::/32 NL 52,5\n", "test");
};

TEST_F(SteeringTest, OffIsTheConfiguredOrder) {
  EXPECT_EQ(first("192.0.2.1"), "a");
  EXPECT_EQ(first("192.0.2.1", {"a"}), "f");
  EXPECT_EQ(scope("192.0.2.1"), 0U);
}

TEST_F(SteeringTest, GeoGoesByRegionThenContinentThenTheRest) {
  world_.balancer.steering = Steering::geo;
  EXPECT_EQ(scope("198.51.100.1"), 0U) << "without regions everybody gets the same";
  world_.balancer.region_pools = {{"AU", {world_.shared("syd"), world_.shared("fra")}}};
  EXPECT_EQ(first("198.51.100.1"), "s");
  EXPECT_EQ(first("198.51.100.1", {"s"}), "f");
  EXPECT_EQ(first("198.51.100.1", {"s", "f"}), "a") << "the balancer's own come after them";
  EXPECT_EQ(first("192.0.2.1"), "a");
  EXPECT_EQ(first("8.8.8.8"), "a");
  EXPECT_EQ(first(""), "a");
  EXPECT_EQ(scope("198.51.100.1"), 24U);
  EXPECT_EQ(scope("192.0.2.1"), 24U) << "the neighbours of this network are told something else";
  EXPECT_EQ(scope("8.8.8.0/20"), 20U) << "nothing is known of it: all that was sent";
  EXPECT_EQ(scope(""), 1U) << "not for everybody's cache";
  world_.locator = nullptr;
  EXPECT_EQ(first("198.51.100.1"), "a");
  EXPECT_EQ(scope("198.51.100.1"), 0U) << "nobody's place is known";
}

// The country and the continent of everybody.
class Somewhere final : public geo::Locator {
 public:
  [[nodiscard]] std::optional<geo::Place> locate(geo::Client const& client) const override {
    return geo::Place{"DE", "EU", false, 0, 0, client.bits};
  }
};

TEST_F(SteeringTest, GeoAsksTheContinentAfterTheCountry) {
  Somewhere const germany;
  world_.locator = &germany;
  world_.balancer.steering = Steering::geo;
  world_.balancer.region_pools = {{"EU", {world_.shared("fra")}}};
  EXPECT_EQ(first("192.0.2.1"), "f");
  world_.balancer.region_pools["DE"] = {world_.shared("syd")};
  EXPECT_EQ(first("192.0.2.1"), "s");
  EXPECT_EQ(first("192.0.2.1", {"s"}), "f");
  EXPECT_EQ(first("192.0.2.1", {"s", "f"}), "a");
}

TEST_F(SteeringTest, GeoHasTheTypesOfAllRegionsForEverybody) {
  world_.balancer.steering = Steering::geo;
  world_.balancer.region_pools = {{"AU", {world_.make("six", "x+")}}};
  world_.endpoint("six", "x").address6 = "2001:db8::1";
  EXPECT_TRUE(serves(world_.balancer, Family::ipv6));
  world_.client = "192.0.2.1";
  EXPECT_THAT(world_.answer(Family::ipv6), ElementsAre("x"));
  EXPECT_THAT(world_.answer(Family::ipv4), ElementsAre("a"));
  world_.balancer.steering = Steering::off;
  EXPECT_FALSE(serves(world_.balancer, Family::ipv6));
}

TEST_F(SteeringTest, ProximityIsTheNearestPool) {
  world_.balancer.steering = Steering::proximity;
  EXPECT_EQ(first("198.51.100.1"), "a") << "no pool says where it is";
  EXPECT_EQ(scope("198.51.100.1"), 0U);
  world_["fra"].coordinates = Coordinates{50.1, 8.7};
  world_["syd"].coordinates = Coordinates{-33.9, 151.2};
  EXPECT_EQ(first("198.51.100.1"), "s");
  EXPECT_EQ(first("198.51.100.1", {"s"}), "f");
  EXPECT_EQ(first("198.51.100.1", {"s", "f"}), "a") << "a pool without coordinates is the farthest";
  EXPECT_EQ(first("192.0.2.1"), "f");
  EXPECT_EQ(first("2001:db8::/48"), "f");
  EXPECT_EQ(first("8.8.8.8"), "a") << "who is nowhere goes by the configured order";
  EXPECT_EQ(first("203.0.113.1"), "a") << "and so does who is somewhere without coordinates";
  EXPECT_EQ(scope("192.0.2.1"), 24U);
  EXPECT_EQ(scope("203.0.113.1"), 25U);
  EXPECT_EQ(scope("2001:db8:1:2::/64"), 32U);
  EXPECT_EQ(scope(""), 1U);
}

TEST_F(SteeringTest, MeshGoesByCost) {
  world_.balancer.steering = Steering::mesh;
  for (char const* const pool : {"ams", "fra", "syd"}) {
    world_[pool].site = pool;
  }
  EXPECT_EQ(first("192.0.2.1"), "a") << "no mesh: the configured order";
  geo::SiteCosts costs = {{"syd", 0}, {"fra", 90}, {"ams", 100}};
  world_.costs = &costs;
  EXPECT_EQ(first("192.0.2.1"), "s") << "the own site costs nothing";
  EXPECT_EQ(first("192.0.2.1", {"s"}), "f");
  costs.erase("fra");
  EXPECT_EQ(first("192.0.2.1", {"s"}), "a");
  EXPECT_EQ(first("192.0.2.1", {"s", "a"}), "f") << "what cannot be reached comes last, but comes";
  costs = {{"ams", 7}, {"fra", 7}, {"syd", 7}};
  EXPECT_EQ(first("192.0.2.1"), "a") << "equal ones in their order";
  EXPECT_EQ(scope("192.0.2.1"), 0U);
}

TEST_F(SteeringTest, LeastLoadGoesByTheMeanOfWhatIsUp) {
  world_.balancer.steering = Steering::least_load;
  EXPECT_EQ(first("192.0.2.1"), "a") << "no load is known";
  world_.load("s", 400);
  EXPECT_EQ(first("192.0.2.1"), "s") << "unknown comes last";
  world_.load("f", 300);
  EXPECT_EQ(first("192.0.2.1"), "f");
  world_["fra"].pools = {world_.make("nested", "n+ m- o+")};
  world_.load("n", 900);
  world_.load("m", 0);
  EXPECT_EQ(first("192.0.2.1"), "s") << "(300 + 900) / 2; what is down does not count, nor what is not known";
  EXPECT_EQ(scope("192.0.2.1"), 0U);
}

TEST_F(SteeringTest, HashGivesEachNetworkAPoolOfItsOwn) {
  world_.balancer.steering = Steering::hash;
  std::map<std::string, int> counts;
  int moved = 0;
  for (int network = 0; network < 3000; ++network) {
    std::string const prefix = "10." + std::to_string(network / 256) + "." + std::to_string(network % 256) + ".";
    std::string const pool = first(prefix + "1");
    ++counts[pool];
    EXPECT_EQ(first(prefix + "200"), pool) << "a network has one";
    moved += first(prefix + "1", {"s"}) != pool ? 1 : 0;
  }
  for (auto const& [pool, count] : counts) {
    EXPECT_NEAR(count, 1000, 120) << pool;
  }
  EXPECT_EQ(moved, counts["s"]) << "only who was there moves";
  EXPECT_EQ(scope("192.0.2.1"), 24U);
  EXPECT_EQ(scope("10.0.0.0/8"), 8U);
  EXPECT_EQ(scope("2001:db8::1"), 56U);
  EXPECT_EQ(first(""), "a");
  EXPECT_EQ(scope(""), 1U);
  world_.balancer.pools.resize(1);
  EXPECT_EQ(scope("192.0.2.1"), 0U) << "there is nothing to choose";
}

TEST_F(SteeringTest, TwoNamesDoNotMoveTogether) {
  world_.balancer.steering = Steering::random;
  int differ = 0;
  for (world_.now_s = 0; world_.now_s < 3000; world_.now_s += 30) {
    world_.balancer.name = "www.example.org.";
    auto const here = world_.answer();
    world_.balancer.name = "api.example.org.";
    differ += here != world_.answer() ? 1 : 0;
  }
  EXPECT_GT(differ, 30);
}

TEST_F(SteeringTest, RandomDrawsByWeightOncePerTtl) {
  world_.balancer.steering = Steering::random;
  world_.balancer.ttl = 30;
  world_.balancer.pool_weights = {{"ams", 3000}, {"syd", 0}};
  std::map<std::string, int> counts;
  for (int step = 0; step < 4000; ++step) {
    world_.now_s = step * 30;
    std::string const now = first("");
    ++counts[now];
    world_.now_s += 29;
    EXPECT_EQ(first(""), now);
    EXPECT_EQ(first("192.0.2.1"), now);
  }
  EXPECT_NEAR(counts["a"], 3000, 150);
  EXPECT_NEAR(counts["f"], 1000, 150) << "the usual weight is 1000";
  EXPECT_EQ(counts["s"], 0);
  EXPECT_EQ(first("", {"a", "f"}), "s") << "weight 0 is for when nothing else is there";
  EXPECT_EQ(scope("192.0.2.1"), 0U);
}

TEST_F(SteeringTest, TheFirstPoolOfTheOrderIsTheOneWhosePolicyCounts) {
  world_.balancer.steering = Steering::geo;
  world_.balancer.region_pools = {{"AU", {world_.shared("syd")}}};
  world_["syd"].all_down = AllDown::keep_last;
  for (char const* const endpoint : {"a", "f", "s"}) {
    world_.set(endpoint, Health::down);
  }
  world_.client = "198.51.100.1";
  EXPECT_THAT(world_.answer(), ElementsAre("s")) << "the last to fall";
  EXPECT_EQ(world_.selected().scope_bits, 24U);
  EXPECT_THAT(world_.answer_to("192.0.2.1"), ElementsAre("a"));
}

// An answer without rows has no place for a scope, and PowerDNS gives it to everybody from its cache.
TEST_F(SteeringTest, NothingIsAnsweredOnlyWhereEverybodyIsAnsweredNothing) {
  world_.balancer.steering = Steering::geo;
  world_.balancer.pools = {world_.shared("ams")};
  world_.balancer.region_pools = {{"AU", {world_.shared("syd")}}, {"EU", {world_.shared("fra")}}};
  world_.policy(AllDown::empty);
  world_.set("a", Health::down);
  world_.set("f", Health::down);
  EXPECT_THAT(world_.answer_to("198.51.100.1"), ElementsAre("s"));
  EXPECT_THAT(world_.answer_to("203.0.113.1"), ElementsAre("a")) << "down, since others are answered";
  EXPECT_GT(world_.selected().scope_bits, 0U);
  world_.set("s", Health::down);
  for (char const* const client : {"198.51.100.1", "203.0.113.1", ""}) {
    EXPECT_THAT(world_.answer_to(client), ElementsAre()) << client;
    EXPECT_EQ(world_.selected().scope_bits, 0U) << client;
  }
  world_["fra"].all_down = AllDown::serve_all;
  for (char const* const client : {"198.51.100.1", "203.0.113.1", ""}) {
    EXPECT_FALSE(world_.answer_to(client).empty()) << client << ": another region's clients are answered";
  }
}

TEST_F(SteeringTest, AnOrderOfThePrefixIsEmptyOnlyWhereEveryPoolWantsThat) {
  world_.balancer.steering = Steering::hash;
  world_.policy(AllDown::empty);
  for (char const* const endpoint : {"a", "f", "s"}) {
    world_.set(endpoint, Health::down);
  }
  EXPECT_THAT(world_.answer_to("198.51.100.1"), ElementsAre());
  EXPECT_EQ(world_.selected().scope_bits, 0U);
  world_["fra"].all_down = AllDown::serve_all;
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(world_.answer_to("198.51." + std::to_string(i) + ".1").empty()) << "whichever pool is first";
  }
}

}  // namespace
}  // namespace pool
