#include "mesh/reconcile/departures/departures.hpp"

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
  auto const kept = with_departing(now, before, {{"wg-edge-1", true}});
  EXPECT_EQ(count(kept, "    interface \"wg-edge-1\" {"), 2U) << "both families\n" << kept;
  EXPECT_EQ(count(kept, "      cost 65535;\n"), 2U);
  EXPECT_EQ(kept.size() - now.size(), before.size() - now.size() + 2 * 4) << "cost 5 is cost 65535, and nothing else";
  EXPECT_EQ(with_departing(now, kept, {{"wg-edge-1", true}}), kept) << "the next pass writes nothing";
  EXPECT_EQ(with_departing(now, before, {}), now);
  EXPECT_EQ(with_departing(now, "", {{"wg-edge-1", true}}), now);
}

TEST(Departures, UntilThenTheyCostWhatTheyCost) {
  auto const before = bird_of(plan::sample::world());
  auto const now = bird_of(without_edge_link());
  auto const kept = with_departing(now, before, {{"wg-edge-1", false}});
  EXPECT_EQ(count(kept, "    interface \"wg-edge-1\" {"), 2U);
  EXPECT_THAT(kept, Not(HasSubstr("      cost 65535;\n")));
  EXPECT_EQ(kept.size(), before.size());
  auto const last = with_departing(now, kept, {{"wg-edge-1", true}});
  EXPECT_EQ(count(last, "      cost 65535;\n"), 2U);
  EXPECT_EQ(with_departing(now, last, {{"wg-edge-1", false}}), last) << "an agent that starts anew takes nothing back";
}

TEST(Departures, NoAreaIsBegunForThem) {
  auto before = plan::sample::world();
  for (auto& node : before.topology.nodes) {
    node.area = "0.0.0.1";
  }
  auto const now = bird_of(without_edge_link());
  EXPECT_EQ(with_departing(now, bird_of(before), {{"wg-edge-1", true}}), now);
}

// edge-1 comes from the area of ams-1 to that of nyc-1.
TEST(Departures, AnAreaIsNotLeftBeforeTheWayIntoAnotherCarries) {
  auto before = plan::sample::world();
  before.topology.nodes[1].area = "0.0.0.1";
  auto after = before;
  after.topology.nodes[1].area = "0.0.0.2";
  std::erase_if(before.topology.links, [](auto const& link) { return link.name() == "edge-1--nyc-1"; });
  std::erase_if(after.topology.links, [](auto const& link) { return link.name() == "ams-1--edge-1"; });
  auto const was = plan::plan_node(before, "edge-1").value();
  auto const plan = plan::plan_node(after, "edge-1").value();
  constexpr std::int64_t now_s = 1'800'000'000;
  std::vector<wireguard::ObservedDevice> seen(2);
  seen[0].name = "wg-ams-1";
  seen[0].peers.emplace_back().last_handshake_s = now_s - 5;
  seen[1].name = "wg-nyc-1";
  seen[1].peers.emplace_back();
  auto const wait = waits_for_handshake(was.bird, plan, seen, now_s);
  ASSERT_TRUE(wait);
  EXPECT_THAT(*wait, HasSubstr("no WireGuard handshake yet over wg-nyc-1"));
  seen[1].peers[0].last_handshake_s = now_s - 181;
  EXPECT_TRUE(waits_for_handshake(was.bird, plan, seen, now_s)) << "of a session that has ended";
  EXPECT_TRUE(waits_for_handshake(was.bird, plan, {}, now_s)) << "the device is not made yet";
  seen[1].peers[0].last_handshake_s = now_s - 1;
  EXPECT_FALSE(waits_for_handshake(was.bird, plan, seen, now_s));
  // What goes on by the new configuration, as the last resort or unchanged, needs no such care.
  EXPECT_FALSE(waits_for_handshake(was.bird, was, {}, now_s));
  EXPECT_FALSE(waits_for_handshake("", plan, {}, now_s)) << "nothing ran";
  auto same_area = before;
  std::swap(same_area.topology.links, after.topology.links);
  auto moved = plan::plan_node(same_area, "edge-1").value();
  moved.bird = with_departing(moved.bird, was.bird, {{"wg-ams-1", true}});
  EXPECT_FALSE(waits_for_handshake(was.bird, moved, {}, now_s));
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
  EXPECT_FALSE(leads_elsewhere(over_it, {{"wg-edge-1", true}}));
  EXPECT_FALSE(leads_elsewhere({}, {{"wg-edge-1", true}}));
  bird::Lines const around{"10.200.0.2/32 unicast [ospf4 05:10:00.000] * I (150/31) [10.200.0.2]",
                           "\tvia 10.200.0.3 on wg-nyc-1 weight 1"};
  EXPECT_TRUE(leads_elsewhere(around, {{"wg-edge-1", true}}));
}

TEST(Departures, AnotherWayIsOneOfLinksOfWhichBothEndsTell) {
  // e hangs at r1 and gets a link to r2.
  bird::OspfState state;
  state["r1"].links = {{"e", {10}}, {"r2", {10}}};
  state["r2"].links = {{"r1", {10}}, {"r3", {10}}};
  state["r3"].links = {{"r2", {10}}};
  state["e"].links = {{"r1", {10}}};
  EXPECT_FALSE(another_way(state, "r1", "e")) << "the link itself";
  EXPECT_TRUE(another_way(state, "r2", "e")) << "who has no link to it goes by who has";
  state["e"].links["r2"] = {10};
  EXPECT_FALSE(another_way(state, "r1", "e")) << "r2 has not told yet";
  state["r2"].links["e"] = {10};
  EXPECT_TRUE(another_way(state, "r1", "e"));
  EXPECT_TRUE(another_way(state, "e", "r1"));
  state["r1"].links.erase("r2");
  EXPECT_FALSE(another_way(state, "r1", "e")) << "nobody else is left";
  EXPECT_FALSE(another_way({}, "r1", "e"));
}

TEST(Departures, TheOtherEndSendsThereUntilItIsItsLastResortToo) {
  bird::OspfState state;
  state["e"].links = {{"r1", {10}}, {"r2", {10}}};
  EXPECT_FALSE(left_there(state, "r1", "e"));
  state["e"].links["r1"] = {10, 65535};
  EXPECT_FALSE(left_there(state, "r1", "e")) << "one of two";
  state["e"].links["r1"] = {65535};
  EXPECT_TRUE(left_there(state, "r1", "e"));
  state["e"].links.erase("r1");
  EXPECT_TRUE(left_there(state, "r1", "e")) << "it has gone there";
  EXPECT_TRUE(left_there({}, "r1", "e"));
  Departure::Moment const start{};
  Departure one{start};
  one.last_resort = start + 300s;
  EXPECT_TRUE(one.awaits_other_end(start + 419s)) << "from then on";
  EXPECT_FALSE(one.awaits_other_end(start + 420s)) << "it may never take the change";
}

TEST(Departures, TheLastResortIsWhatEveryRouterHasHadTheTimeToLeave) {
  Departure::Moment const start{};
  Departure one{start};
  one.look(true, false, start + 1s);
  EXPECT_FALSE(one.last_resort);
  one.look(false, false, start + 2s);
  one.look(true, false, start + 3s);
  one.look(true, false, start + 5s);
  EXPECT_FALSE(one.last_resort) << "it went away meanwhile";
  one.look(true, false, start + 3s + Departure::settled);
  EXPECT_TRUE(one.last_resort);
  one.look(false, false, start + 8s);
  EXPECT_TRUE(one.last_resort) << "to and fro would be worse";
}

// What nobody can do without keeps its cost: it is left when the way in its place is known, however late that is.
TEST(Departures, WhoSeesEveryWayIsPatientForEver) {
  Departure::Moment const start{};
  Departure one{start};
  one.look(false, false, start + 3600s);
  EXPECT_FALSE(one.last_resort);
  Departure blind{start};
  blind.look(false, true, start + 29s);
  EXPECT_FALSE(blind.last_resort);
  blind.look(false, true, start + 30s);
  EXPECT_TRUE(blind.last_resort) << "another area's links are not seen";
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
