#include "mesh/reconcile/departures.hpp"

#include "mesh/plan/plan.hpp"
#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reconcile {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// ams-1 before and after its link to edge-1 went.
std::string bird_of(plan::World const& world) {
  return plan::plan_node(world, "ams-1").value().bird;
}

plan::World without_edge_link() {
  auto out = plan::sample::world();
  std::erase_if(out.topology.links, [](topology::Link const& link) { return link.name() == "ams-1--edge-1"; });
  return out;
}

std::size_t count(std::string const& text, std::string const& part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++out;
  }
  return out;
}

TEST(Departures, OspfKeepsThemAsTheLastResort) {
  auto const before = bird_of(plan::sample::world());
  auto const now = bird_of(without_edge_link());
  ASSERT_THAT(now, Not(HasSubstr("wg-edge-1")));
  auto const kept = with_departing(now, before, {"wg-edge-1"});
  EXPECT_EQ(count(kept, "    interface \"wg-edge-1\" {"), 2U) << "both families\n" << kept;
  EXPECT_EQ(count(kept, "      cost 65535;\n"), 2U);
  EXPECT_EQ(kept.size() - now.size(), before.size() - now.size() + 2 * 4) << "cost 5 is cost 65535, and nothing else";
  EXPECT_EQ(with_departing(now, kept, {"wg-edge-1"}), kept) << "the next pass writes nothing";
  EXPECT_EQ(with_departing(now, before, {}), now);
  EXPECT_EQ(with_departing(now, "", {"wg-edge-1"}), now);
}

TEST(Departures, NoAreaIsBegunForThem) {
  auto before = plan::sample::world();
  for (auto& node : before.topology.nodes) {
    node.area = "0.0.0.1";
  }
  auto const now = bird_of(without_edge_link());
  EXPECT_EQ(with_departing(now, bird_of(before), {"wg-edge-1"}), now);
}

TEST(Departures, NobodyWaitsForWhoIsNotInTheTopology) {
  auto world = plan::sample::world();
  wireguard::ObservedDevice device;
  device.peers.emplace_back().peer.public_key = plan::sample::key(2);
  EXPECT_EQ(router_of(device, world), "10.200.0.2");
  std::erase_if(world.topology.nodes, [](topology::Node const& node) { return node.name == "edge-1"; });
  EXPECT_FALSE(router_of(device, world));
}

TEST(Departures, OneLeavesWhenTheOtherEndHasAnotherWay) {
  bird::Lines const over_it{"Table master4:", "10.200.0.2/32 unicast [ospf4 05:10:00.000] * I (150/65536) [10.200.0.2]",
                            "\tvia 10.200.0.2 on wg-edge-1"};
  EXPECT_FALSE(leads_elsewhere(over_it, {"wg-edge-1"}));
  EXPECT_FALSE(leads_elsewhere({}, {"wg-edge-1"}));
  bird::Lines const around{"10.200.0.2/32 unicast [ospf4 05:10:00.000] * I (150/31) [10.200.0.2]",
                           "\tvia 10.200.0.3 on wg-nyc-1 weight 1"};
  EXPECT_TRUE(leads_elsewhere(around, {"wg-edge-1"}));
}

TEST(Departures, AMomentPassesBecauseTheOtherEndCalculatesLater) {
  Departure::Moment const start{};
  Departure one{start};
  EXPECT_FALSE(one.may_go(true, start));
  EXPECT_FALSE(one.may_go(false, start + 2s)) << "on trial again, say";
  EXPECT_FALSE(one.may_go(true, start + 4s));
  EXPECT_TRUE(one.may_go(true, start + 4s + Departure::settled));
  EXPECT_TRUE(one.patient(start + 29s));
  EXPECT_FALSE(one.patient(start + 30s));
  EXPECT_TRUE(Departure{start + 29s}.patient(start + 31s)) << "each by its own clock";
}

}  // namespace
}  // namespace reconcile
