#include "mesh/agent/belief/checks.hpp"

#include "mesh/agent/belief/changes_of_worlds.hpp"
#include "mesh/agent/belief/snapshots.hpp"
#include "tests/mesh/plan/sample.hpp"
#include "topology/allocation.hpp"
#include "topology/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agent {
namespace {

// edge-1 with one link, to this node.
plan::World edge_at(char const* other) {
  auto out = plan::sample::world();
  std::erase_if(out.topology.links, [&](topology::Link const& link) {
    return (link.a == "edge-1" || link.b == "edge-1") && link.a != other && link.b != other;
  });
  return out;
}

TEST(CheckLinks, ALinkToANodeThatHasNotJoinedIsNone) {
  auto const before = edge_at("ams-1");
  auto after = edge_at("nyc-1");
  EXPECT_TRUE(check_links(before, after, "edge-1"));
  after.keys.erase("nyc-1");
  auto const refused = check_links(before, after, "edge-1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::cut_off);
  EXPECT_THAT(refused.error().what(), testing::HasSubstr("has joined: not yet nyc-1"));
  after.topology.links.clear();
  EXPECT_FALSE(check_links(before, after, "edge-1"));
}

TEST(CheckLinks, ATopologyWithoutAnyLinkOfItIsRefusedWhoeverIsAMember) {
  auto const before = edge_at("ams-1");
  auto after = before;
  after.keys.erase("ams-1");
  after.topology.links.clear();
  EXPECT_FALSE(check_links(before, after, "edge-1"));
}

TEST(CheckLinks, WhoWasRemovedIsLostInAnyCase) {
  auto const before = edge_at("ams-1");
  auto after = before;
  after.keys.erase("ams-1");
  EXPECT_TRUE(check_links(before, after, "edge-1"));
  plan::WorldDocument document;
  document.nodes = {{"edge-1", ""}, {"nyc-1", ""}};
  EXPECT_EQ(routers_gone(before, document), std::set<std::string>{"10.200.0.1"});
}

TEST(CheckLinks, ANodeWithoutALinkTakesAnyWorld) {
  auto before = edge_at("ams-1");
  before.keys.erase("ams-1");
  EXPECT_TRUE(check_links(before, before, "edge-1"));
}

// A node that gets its new key by a world in which something else was changed too tries that against what it has.
TEST(ChangeOfKey, WhatIsInUseWithTheNewKeyDiffersOnlyByWhatElseIsNew) {
  plan::WorldDocument before;
  before.revision = 10;
  before.topology = R"(name: t
domain: t.example
mesh: {prefix4: 10.200.0.0/16, prefix6: 'fd00:c0de::/48', shape: full}
sites: [{name: s}]
nodes:
  - {name: ann, site: s, role: edge, underlay: [192.0.2.1]}
  - {name: bob, site: s, role: edge, underlay: [192.0.2.2]}
)";
  auto const topology = topology::load_topology(before.topology, "t");
  ASSERT_TRUE(topology);
  before.allocation = topology::to_text(topology::allocate(*topology, {}, 0).value());
  before.nodes = {{"ann", plan::sample::key(1).to_base64()}, {"bob", plan::sample::key(2).to_base64()}};
  before.rotate = {"ann"};
  before.next_keys = {{"ann", plan::sample::key(9).to_base64()}};
  auto after = before;
  after.revision = 12;
  after.nodes["ann"] = plan::sample::key(9).to_base64();
  after.next_keys.clear();
  after.rotate.clear();
  after.generations["ann"] = 1;
  auto in_use = before;
  change_key_in(in_use, after, "ann");
  auto const mark = [](plan::WorldDocument const& document) { return prepare(document, "t", "ann", false)->mark; };
  EXPECT_NE(mark(before), mark(after)) << "the second device has become the only one";
  EXPECT_EQ(mark(in_use), mark(after)) << "nothing else came with it: no trial";
  after.topology.replace(after.topology.find("shape"), 5, "ospf: {hello_s: 1, dead_s: 9}, shape");
  EXPECT_NE(mark(in_use), mark(after)) << "an operator's change came with it";
}

}  // namespace
}  // namespace agent
