#include "routing/backup/passing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

topology::Topology world(std::uint32_t ann_bob, std::uint32_t bob_cat) {
  topology::Topology out;
  for (auto const* name : {"ann", "bob", "cat"}) {
    topology::Node node;
    node.name = name;
    node.area = "0.0.0.0";
    out.nodes.push_back(node);
  }
  out.links = {{"ann", "bob", ann_bob, 1420}, {"ann", "cat", 5, 1420}, {"bob", "cat", bob_cat, 1420}};
  topology::Service service;
  service.name = "names";
  service.nodes = {"ann", "bob"};
  out.services = {service};
  return out;
}

TEST(Passing, NamesWhoseNextInstanceIsBehindTheNearest) {
  auto const found = backup::passing(world(10, 20));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].service, "names");
  EXPECT_EQ(found[0].instance, "ann");
  EXPECT_THAT(found[0].nodes, ElementsAre("cat"));
  EXPECT_EQ(backup::passing(world(15, 20)).size(), 1U) << "one of two ways of equal cost";
}

TEST(Passing, FindsNothingWhereThereIsAWayAround) {
  EXPECT_THAT(backup::passing(world(30, 20)), IsEmpty());
  auto single = world(10, 20);
  single.services[0].nodes = {"ann"};
  EXPECT_THAT(backup::passing(single), IsEmpty()) << "there is no next one";
  auto apart = world(10, 20);
  apart.links.clear();
  EXPECT_THAT(backup::passing(apart), IsEmpty());
}

}  // namespace
