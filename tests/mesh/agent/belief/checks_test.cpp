#include "mesh/agent/belief/checks.hpp"

#include "mesh/agent/belief/changes_of_worlds.hpp"
#include "mesh/agent/belief/snapshots.hpp"
#include "tests/mesh/plan/sample.hpp"

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

}  // namespace
}  // namespace agent
