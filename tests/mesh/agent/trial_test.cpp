#include "mesh/agent/trial.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gtest/gtest.h>

namespace agent {
namespace {

using namespace std::chrono_literals;

Moment const start{};

bird::Neighbor neighbor(std::string const& router, std::string const& protocol, std::string const& state = "Full") {
  bird::Neighbor out;
  out.router_id = router;
  out.protocol = protocol;
  out.state = state;
  return out;
}

TEST(Trial, MeasuredCostsAloneAreNoTrial) {
  plan::WorldDocument before;
  before.revision = 3;
  before.topology = "t";
  before.costs = {{"ann--bob", 10}};
  auto after = before;
  after.revision = 4;
  after.issued_at_s = 1000;
  after.costs = {{"ann--bob", 15}, {"ann--cat", 23}};
  EXPECT_TRUE(only_costs(before, after));
  after.draining = {"ann"};
  EXPECT_FALSE(only_costs(before, after));
}

TEST(Trial, ANeighbourIsReachedWhenBothFamiliesAreFullOverAnyDevice) {
  EXPECT_EQ(reached({neighbor("a", "ospf4"), neighbor("a", "ospf6"), neighbor("b", "ospf4"), neighbor("b", "ospf4"),
                     neighbor("c", "ospf4"), neighbor("c", "ospf6", "ExStart")}),
            std::set<std::string>{"a"});
}

TEST(Trial, WhatWasReachedBeforeAndIsStillPlannedMustBeReachedAgain) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();  // neighbours 10.200.0.2 and 10.200.0.3
  auto trial = begin_trial(plan, {"10.200.0.2", "10.200.0.9"}, true, 4s, start);
  EXPECT_EQ(trial.neighbors, std::set<std::string>{"10.200.0.2"}) << "the plan has no 10.200.0.9 any more";
  EXPECT_EQ(judge(trial, {"10.200.0.2"}, start + 7s), Verdict::waiting) << "the controller was not seen since";
  trial.controller_seen = true;
  EXPECT_EQ(judge(trial, {"10.200.0.2", "10.200.0.3"}, start + 7s), Verdict::passed);
  EXPECT_EQ(judge(trial, {"10.200.0.2", "10.200.0.3"}, start + 6s), Verdict::waiting)
      << "it may only not be missed yet";
  EXPECT_EQ(judge(trial, {}, start + trial_time - 1s), Verdict::waiting);
  EXPECT_EQ(judge(trial, {}, start + trial_time), Verdict::failed);
  EXPECT_EQ(missing(trial, {}), "10.200.0.2");
}

TEST(Trial, WithoutControllerOrNeighboursBeforeThereIsNothingToLose) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  EXPECT_EQ(judge(begin_trial(plan, {}, false, 4s, start), {}, start + 7s), Verdict::passed);
}

}  // namespace
}  // namespace agent
