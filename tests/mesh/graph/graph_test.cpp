#include "mesh/graph/graph.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

namespace {

using graph::LinkState;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// ams-1 is .1, edge-1 .2, nyc-1 .3; all links are up.
bird::OspfState whole() {
  return {{"10.200.0.1", {true, {{"10.200.0.2", {5}}, {"10.200.0.3", {10}}}}},
          {"10.200.0.2", {true, {{"10.200.0.1", {5}}, {"10.200.0.3", {20}}}}},
          {"10.200.0.3", {true, {{"10.200.0.1", {10}}, {"10.200.0.2", {20}}}}}};
}

LinkState state_of(graph::Picture const& picture, std::string const& a, std::string const& b) {
  for (auto const& link : picture.links) {
    if (link.a == a && link.b == b) {
      return link.state;
    }
  }
  ADD_FAILURE() << "no link " << a << "--" << b;
  return LinkState::down;
}

TEST(Picture, OfAMeshInOrderIsAllFull) {
  auto const picture = graph::picture(plan::sample::world(), {whole(), whole(), {}});
  ASSERT_THAT(picture.nodes, SizeIs(3));
  ASSERT_THAT(picture.links, SizeIs(3));
  for (auto const& node : picture.nodes) {
    EXPECT_TRUE(node.joined && node.reachable) << node.name;
  }
  for (auto const& link : picture.links) {
    EXPECT_EQ(link.state, LinkState::full) << link.a << link.b;
    EXPECT_EQ(link.cost_a, link.cost_b);
  }
}

TEST(Picture, TellsOneEndOneFamilyAndNobodyApart) {
  auto world = plan::sample::world();
  auto v4 = whole();
  auto v6 = whole();
  v6["10.200.0.1"].links.erase("10.200.0.2");
  for (auto* state : {&v4, &v6}) {
    state->at("10.200.0.2").links.erase("10.200.0.3");
    state->at("10.200.0.3").links.erase("10.200.0.2");
    state->at("10.200.0.3").reachable = false;
  }
  auto const picture = graph::picture(world, {v4, v6, {}});
  EXPECT_EQ(state_of(picture, "ams-1", "edge-1"), LinkState::partial);
  EXPECT_EQ(state_of(picture, "edge-1", "nyc-1"), LinkState::down);
  EXPECT_FALSE(picture.nodes.back().reachable);
  world.keys.erase("nyc-1");
  EXPECT_EQ(state_of(graph::picture(world, {v4, v6, {}}), "edge-1", "nyc-1"), LinkState::absent);
}

// What the edge of an area knows of a mesh in order: its own area, and that there is a border.
TEST(Picture, OtherAreasThanThatOfTheNodeThatWasAskedAreUnknown) {
  auto world = plan::sample::world();
  auto& topology = world.topology;
  topology.areas = {{"0.0.0.0"}, {"0.0.0.1"}};
  topology.nodes[1].area = "0.0.0.1";
  topology.links = {{"ams-1", "edge-1", 5, 1400}, {"ams-1", "nyc-1", 10, 1420}};
  topology.links[0].area = "0.0.0.1";
  bird::OspfState const seen{{"10.200.0.1", {true, {{"10.200.0.2", {5}}}}},
                             {"10.200.0.2", {true, {{"10.200.0.1", {5}}}}}};
  auto const from_edge = graph::picture(world, {seen, seen, {}, "edge-1"});
  EXPECT_EQ(state_of(from_edge, "ams-1", "edge-1"), LinkState::full);
  EXPECT_EQ(state_of(from_edge, "ams-1", "nyc-1"), LinkState::unknown);
  EXPECT_TRUE(from_edge.nodes[0].reachable);
  EXPECT_FALSE(from_edge.nodes[2].known);
  EXPECT_THAT(graph::to_svg(from_edge), HasSubstr("nyc-1, edge, in other areas"));
  auto const object = boost::json::parse(graph::to_json(from_edge)).as_object();
  EXPECT_TRUE(object.at("nodes").at(2).at("reachable").is_null());
  // What is silent in an area of its own is down, whoever else is unknown.
  auto const silent = graph::picture(world, {{}, {}, {}, "edge-1"});
  EXPECT_EQ(state_of(silent, "ams-1", "edge-1"), LinkState::down);
  EXPECT_FALSE(silent.nodes[0].reachable);
  EXPECT_TRUE(silent.nodes[0].known);
  EXPECT_EQ(state_of(graph::picture(world, {seen, seen, {}, "ams-1"}), "ams-1", "nyc-1"), LinkState::down);
}

TEST(Drawing, ShowsStateCostAndTime) {
  auto v4 = whole();
  v4["10.200.0.2"].links["10.200.0.1"] = {6};
  v4["10.200.0.3"].reachable = false;
  auto const picture =
      graph::picture(plan::sample::world(), {v4, whole(), {{"ams-1--nyc-1", std::chrono::microseconds(12340)}}});
  auto const svg = graph::to_svg(picture);
  EXPECT_THAT(svg, HasSubstr(">5/6</text>"));
  EXPECT_THAT(svg, HasSubstr(">10, 12.3 ms</text>"));
  EXPECT_THAT(svg, HasSubstr("<title>nyc-1, edge, unreachable</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  auto const dot = graph::to_dot(picture);
  EXPECT_THAT(dot, HasSubstr("\"ams-1\" -- \"nyc-1\" [color=\"#2e7d32\", label=\"10, 12.3 ms\"];"));
  auto const object = boost::json::parse(graph::to_json(picture)).as_object();
  EXPECT_EQ(object.at("links").at(1).at("rtt_us").as_int64(), 12340);
  EXPECT_TRUE(object.at("links").at(0).at("rtt_us").is_null());
}

TEST(Drawing, OfOneNodeIsWhole) {
  graph::Picture picture;
  picture.title = "a <b> & \"c\"";
  picture.nodes = {{"alone", "here", "edge", true, true}};
  EXPECT_THAT(graph::to_svg(picture), HasSubstr("<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"));
  EXPECT_THAT(graph::to_svg({}), HasSubstr("</svg>"));
}

}  // namespace
