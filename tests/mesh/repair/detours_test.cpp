#include "mesh/repair/detours.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gtest/gtest.h>

namespace repair {
namespace {

using plan::sample::address;

// Three nodes: ams-1--edge-1 costs 5, ams-1--nyc-1 10, edge-1--nyc-1 20.
plan::World world() {
  auto out = plan::sample::world();
  out.topology.services.clear();
  return out;
}

Detours detours(plan::World const& of, std::string const& node) {
  return detours_of(of, plan::plan_node(of, node).value());
}

std::pair<std::string, wireguard::Network> lost(std::string const& device, char const* destination) {
  auto const to = address(destination);
  return {device, {to, static_cast<std::uint8_t>(to.is_v4() ? 32 : 128)}};
}

TEST(Detours, LeadOverALoopFreeNeighbourInBothFamilies) {
  auto const found = detours(world(), "ams-1");
  // nyc-1 reaches edge-1 over us at 15 and by its own link at 20, so it would send it back; edge-1 to nyc-1 likewise.
  EXPECT_TRUE(found.empty());
  auto const of_edge = detours(world(), "edge-1");
  auto const to_ams = of_edge.at(lost("wg-ams-1", "10.200.0.1"));  // nyc-1 is at 10 from it, and at 15 from us
  EXPECT_EQ(to_ams.device, "wg-nyc-1");
  EXPECT_EQ(to_ams.gateway, address("10.200.0.3"));
  EXPECT_EQ(to_ams.source, address("10.200.0.2"));
  EXPECT_TRUE(of_edge.contains(lost("wg-ams-1", "fd5e:70::1")));
}

TEST(Detours, AreNotMadeWhereTheNeighbourWouldSendItBack) {
  auto of = world();
  of.topology.links[2].cost = 16;  // edge-1--nyc-1: nyc-1's way to edge-1 is over ams-1 (15)
  EXPECT_FALSE(detours(of, "ams-1").contains(lost("wg-edge-1", "10.200.0.2")));
  of.topology.links[2].cost = 14;  // by itself
  auto const found = detours(of, "ams-1");
  EXPECT_EQ(found.at(lost("wg-edge-1", "10.200.0.2")).device, "wg-nyc-1");
  EXPECT_EQ(found.at(lost("wg-edge-1", "fd5e:70::2")).gateway,
            topology::link_local(of.allocation, of.topology.links[1], "nyc-1"));
}

// The kernel goes on using a leg whose link fell silent, because its device stays up.
TEST(Detours, GoFromOneOfSeveralEqualWaysToAnother) {
  auto of = world();
  of.topology.links[0].cost = 15;  // ams-1--edge-1
  of.topology.links[2].cost = 5;   // edge-1--nyc-1, which ams-1 reaches at 10
  auto const found = detours(of, "ams-1");
  EXPECT_EQ(found.at(lost("wg-edge-1", "10.200.0.2")).device, "wg-nyc-1");
  EXPECT_EQ(found.at(lost("wg-nyc-1", "10.200.0.2")).device, "wg-edge-1");
  EXPECT_EQ(found.at(lost("wg-nyc-1", "fd5e:70::2")).device, "wg-edge-1");
}

TEST(Routes, UseEachOfTheirLegs) {
  Route const several{{}, "", {}, {}, {"wg-a", "wg-b"}};
  EXPECT_TRUE(several.uses("wg-b"));
  EXPECT_FALSE(several.uses("wg-c"));
  Route const single{{}, "wg-a", {}, {}};
  EXPECT_TRUE(single.uses("wg-a"));
  EXPECT_FALSE(single.uses(""));
}

TEST(Detours, FollowTheRulesOfEachArea) {
  auto of = world();
  auto const key = lost("wg-edge-1", "10.200.0.2");
  ASSERT_FALSE(detours(of, "ams-1").contains(key)) << "in one area nyc-1 sends what is for edge-1 over us";
  of.topology.nodes[1].area = "0.0.0.1";
  of.topology.areas = {{"0.0.0.0"}, {"0.0.0.1"}};
  EXPECT_EQ(detours(of, "ams-1").at(key).device, "wg-nyc-1") << "as a border node nyc-1 sends it over the area's link";
  of.draining = {"nyc-1"};
  EXPECT_FALSE(detours(of, "ams-1").contains(key));
}

TEST(Detours, AreNotMadeOverWhoIsDrainedOrHasNotJoined) {
  auto of = world();
  of.topology.links[2].cost = 14;
  auto const key = lost("wg-edge-1", "10.200.0.2");
  ASSERT_TRUE(detours(of, "ams-1").contains(key));
  auto drained = of;
  drained.draining = {"nyc-1"};
  EXPECT_FALSE(detours(drained, "ams-1").contains(key));
  auto absent = of;
  absent.keys.erase("nyc-1");
  EXPECT_FALSE(detours(absent, "ams-1").contains(key));
}

TEST(Detours, OfADrainedNodeGoByTheCostsThatItTells) {
  auto of = world();
  of.topology.links[0].cost = 40;  // ams-1--edge-1: ams-1's way to edge-1 is over nyc-1 (10 + 20)
  auto const key = lost("wg-nyc-1", "10.200.0.2");
  EXPECT_EQ(detours(of, "ams-1").at(key).device, "wg-edge-1");
  of.draining = {"ams-1"};  // all its links cost the same, so it goes there by itself
  EXPECT_FALSE(detours(of, "ams-1").contains(key));
  EXPECT_EQ(detours(of, "ams-1").at(lost("wg-edge-1", "10.200.0.2")).device, "wg-nyc-1");
  of.topology.links[0].repair = true;
  EXPECT_EQ(detours(of, "ams-1").at(key).device, "wg-edge-1") << "but not by a repair link";
}

TEST(Detours, FollowTheDevicesWhileAKeyChanges) {
  auto of = world();
  of.topology.links[2].cost = 14;
  of.next_keys["nyc-1"] = plan::sample::key(9);
  auto const found = detours(of, "ams-1");
  EXPECT_EQ(found.at(lost("wg-edge-1", "10.200.0.2")).device, "wg-nyc-1~") << "the one that stays";
  EXPECT_TRUE(found.contains(lost("wg-nyc-1", "10.200.0.3")));
  EXPECT_TRUE(found.contains(lost("wg-nyc-1~", "10.200.0.3"))) << "either of the two may be the one that is lost";
}

TEST(Detours, EndWhenTheyAreNoLongerNeededOrNoLongerCarry) {
  using namespace std::chrono_literals;
  EXPECT_FALSE(ends({false, true, std::nullopt, 29s}));
  EXPECT_TRUE(ends({true, true, std::nullopt, 1s})) << "the link is back";
  EXPECT_TRUE(ends({false, false, std::nullopt, 1s})) << "its own device died too";
  EXPECT_FALSE(ends({false, true, 1999ms, 5s}));
  EXPECT_TRUE(ends({false, true, 2000ms, 5s})) << "OSPF has moved, here and elsewhere";
  EXPECT_TRUE(ends({false, true, std::nullopt, 30s}));
}

}  // namespace
}  // namespace repair
