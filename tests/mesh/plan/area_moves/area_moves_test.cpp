#include "mesh/plan/area_moves/area_moves.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AreaMoves, ALinkThatGoesWithinItsAreaInterruptsNothing) {
  EXPECT_THAT(area_moves({{"wg-r1", "0.0.0.3"}}, {{"wg-r2", "0.0.0.3"}}), IsEmpty());
  EXPECT_THAT(area_moves({{"wg-r1", "0.0.0.3"}}, {{"wg-r1", "0.0.0.3"}, {"wg-r2", "0.0.0.4"}}), IsEmpty());
}

TEST(AreaMoves, AnEdgeThatMovesToTheRegionalNodesOfAnotherAreaIsWithoutRoutingMeanwhile) {
  EXPECT_THAT(
      area_moves({{"wg-r1", "0.0.0.3"}}, {{"wg-r3", "0.0.0.4"}, {"wg-r4", "0.0.0.4"}}),
      ElementsAre("the adjacency over wg-r1 ends at once, because the node leaves area 0.0.0.3: the node is without "
                  "routing, some seconds, until one is Full of: wg-r3, wg-r4"));
}

TEST(AreaMoves, WithAnotherLinkThatStaysOnlyWhatWentOverThisOneIsLost) {
  EXPECT_THAT(area_moves({{"wg-r1", "0.0.0.3"}, {"wg-c", "0.0.0.0"}}, {{"wg-c", "0.0.0.0"}}),
              ElementsAre("the adjacency over wg-r1 ends at once, because the node leaves area 0.0.0.3: what went over "
                          "it is lost until OSPF has found another way"));
}

TEST(AreaMoves, ALinkThatStaysAndMovesRestarts) {
  EXPECT_THAT(area_moves({{"wg-r1", "0.0.0.3"}}, {{"wg-r1", "0.0.0.4"}}),
              ElementsAre("the adjacency over wg-r1 restarts: its link moves from area 0.0.0.3 to area 0.0.0.4"));
}

TEST(AreaMoves, TheLastLinkOfANode) {
  EXPECT_THAT(area_moves({{"wg-r1", "0.0.0.3"}}, {}),
              ElementsAre("the adjacency over wg-r1 ends at once, because the node leaves area 0.0.0.3: the node has "
                          "no other"));
}

}  // namespace
}  // namespace plan
