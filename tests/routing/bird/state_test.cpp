#include "routing/bird/state.hpp"

#include <gmock/gmock.h>

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(OspfState, IsReadRouterByRouter) {
  auto const state = bird::parse_ospf_state({
      "",
      "area 0.0.0.0",
      "",
      "\trouter 10.200.0.1",
      "\t\tdistance 0",
      "\t\trouter 10.200.0.2 metric 5",
      "\t\trouter 10.200.0.3 metric 20",
      "\t\trouter 10.200.0.3 metric 10",
      "\t\tstubnet 10.200.0.1/32 metric 0",
      "",
      "\trouter 10.200.0.3",
      "\t\tunreachable",
      "\t\trouter 10.200.0.1 metric 10",
      "\t\trouter 10.200.0.2 metric nonsense",
      "area 0.0.0.7",
      "\t\trouter 10.200.0.9 metric 1",
      "\trouter 10.200.0.1",
      "\t\trouter 10.200.0.4 metric 3",
  });
  ASSERT_EQ(state.size(), 2U);
  EXPECT_THAT(state.at("10.200.0.1").links,
              ElementsAre(Pair("10.200.0.2", ElementsAre(5)), Pair("10.200.0.3", ElementsAre(10, 20)),
                          Pair("10.200.0.4", ElementsAre(3))));
  EXPECT_TRUE(state.at("10.200.0.1").reachable);
  EXPECT_FALSE(state.at("10.200.0.3").reachable);
  EXPECT_THAT(state.at("10.200.0.3").links, ElementsAre(Pair("10.200.0.1", ElementsAre(10))));
}

TEST(OspfState, OfNonsenseIsEmpty) {
  EXPECT_THAT(bird::parse_ospf_state({}), IsEmpty());
  EXPECT_THAT(bird::parse_ospf_state({"router", "router  metric 1", "unreachable", "\t\trouter a metric 1"}),
              IsEmpty());
}

}  // namespace
