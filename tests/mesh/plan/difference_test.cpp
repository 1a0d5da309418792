#include "mesh/plan/difference.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>

namespace {

using plan::NodeDifference;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Difference, OfAWorldWithItselfIsNone) {
  auto const world = plan::sample::world();
  auto const none = plan::difference(world, world);
  EXPECT_THAT(none.nodes, IsEmpty());
  EXPECT_EQ(none.unchanged, 3U);
  EXPECT_EQ(plan::to_text(none, 10), "0 nodes join, 0 leave, 0 change, 3 stay as they are\n");
}

TEST(Difference, OfACostIsALineAtBothEndsAndNowhereElse) {
  auto const before = plan::sample::world();
  auto after = before;
  after.topology.links[0].cost = 7;
  auto const found = plan::difference(before, after);
  ASSERT_EQ(found.nodes.size(), 2U);
  EXPECT_EQ(found.unchanged, 1U);
  for (auto const& node : found.nodes) {
    EXPECT_THAT(node.lines, ElementsAre("bird.conf: - cost 5;", "bird.conf: + cost 7;", "bird.conf: - cost 5;",
                                        "bird.conf: + cost 7;"));
    EXPECT_THAT(node.warnings, IsEmpty());
  }
}

// A gateway's rules are all that a new segment changes there, and the agent puts them on trial.
TEST(Difference, OfASegmentIsOneOfTheRulesOfItsGateway) {
  auto const before = plan::sample::world();
  auto after = before;
  topology::Segment segment;
  segment.name = "blue";
  segment.prefix4 = boost::asio::ip::make_network_v4("10.77.0.0/24");
  segment.gateways = {"ams-1"};
  after.topology.segments = {segment};
  plan::PlanOptions options;
  options.rules = true;
  auto const found = plan::difference(before, after, options);
  ASSERT_THAT(found.nodes, testing::Not(IsEmpty()));
  EXPECT_EQ(found.nodes[0].node, "ams-1");
  EXPECT_THAT(found.nodes[0].lines,
              Contains(testing::AllOf(StartsWith("nftables.conf: + "), HasSubstr("10.77.0.0/24"))));
}

TEST(Difference, WarnsOfAnMtuAndAPortThatChange) {
  auto const before = plan::sample::world();
  auto after = before;
  after.topology.links[0].mtu = 1380;
  after.allocation.links["ams-1--edge-1"].port_a = 51900;
  auto const found = plan::difference(before, after);
  ASSERT_EQ(found.nodes.size(), 2U);
  EXPECT_EQ(found.nodes[0].node, "ams-1");
  EXPECT_THAT(found.nodes[0].lines, Contains(HasSubstr("1380")));
  EXPECT_THAT(found.nodes[0].warnings, Contains(StartsWith("the session over wg-edge-1 pauses")));
  EXPECT_THAT(found.nodes[0].warnings, Contains(StartsWith("the MTU of wg-edge-1 must change at both ends")));
}

TEST(Difference, WarnsWhereOspfRestarts) {
  auto const before = plan::sample::world();
  auto after = before;
  after.topology.nodes[1].area = "0.0.0.7";
  after.topology.areas = {{"0.0.0.0"}, {"0.0.0.7"}};
  auto const found = plan::difference(before, after);
  ASSERT_EQ(found.nodes.size(), 3U);
  EXPECT_THAT(found.nodes[0].warnings, Contains("OSPF restarts here: the node comes from one area to several"));
  EXPECT_THAT(found.nodes[0].warnings,
              Contains("the adjacency over wg-edge-1 restarts: its link moves from area 0.0.0.0 to area 0.0.0.7"));
  // A node that had the second area already keeps its adjacencies but the one that moves.
  auto prepared = before;
  prepared.topology.nodes[0].border_areas = {"0.0.0.7"};
  auto const spared = plan::difference(prepared, after);
  EXPECT_EQ(spared.nodes[0].warnings.size(), 1U);
}

TEST(Difference, NamesWhoJoinsAndWhoLeaves) {
  auto const before = plan::sample::world();
  auto after = before;
  after.topology.nodes.erase(after.topology.nodes.begin() + 1);
  std::erase_if(after.topology.links, [](auto const& link) { return link.a == "edge-1" || link.b == "edge-1"; });
  auto const leaves = plan::difference(before, after);
  ASSERT_EQ(leaves.nodes.size(), 3U);
  EXPECT_EQ(leaves.nodes[1].kind, NodeDifference::Kind::leaves);
  EXPECT_THAT(leaves.nodes[0].lines, Contains("wg-edge-1: remove"));
  auto const joins = plan::difference(after, before);
  EXPECT_EQ(joins.nodes[1].kind, NodeDifference::Kind::joins);
  plan::PlanOptions with_rules;
  with_rules.rules = true;
  EXPECT_THAT(plan::difference(after, before, with_rules).nodes[1].lines, testing::Not(Contains(HasSubstr(".conf: "))));
  EXPECT_THAT(plan::to_text(joins, 1), HasSubstr("node edge-1 joins\n"));
  EXPECT_THAT(plan::to_text(joins, 1), HasSubstr(" lines more\n"));
  EXPECT_THAT(plan::to_json(joins), HasSubstr(R"("node":"edge-1","kind":"joins")"));
}

TEST(Difference, IsNotOneOfKeysThatOnlyOneSideKnows) {
  auto const before = plan::sample::world();
  auto after = before;
  after.keys.clear();
  EXPECT_THAT(plan::difference(before, after).nodes, IsEmpty());
}

}  // namespace
