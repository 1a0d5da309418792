#include "mesh/agent/trial/trial.hpp"

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

TEST(Trial, ANeighbourIsReachedWhenBothFamiliesAreFullOverAnyDevice) {
  EXPECT_EQ(reached({neighbor("a", "ospf4"), neighbor("a", "ospf6"), neighbor("b", "ospf4"), neighbor("b", "ospf4"),
                     neighbor("c", "ospf4"), neighbor("c", "ospf6", "ExStart")}),
            std::set<std::string>{"a"});
}

TEST(Trial, WhatWasReachedBeforeAndIsStillPlannedMustBeReachedAgain) {
  auto trial = begin_trial(7, {"10.200.0.2", "10.200.0.3"}, {"10.200.0.2", "10.200.0.9"}, true, 4s, start, start);
  EXPECT_EQ(trial.neighbors, std::set<std::string>{"10.200.0.2"}) << "the plan has no 10.200.0.9 any more";
  apply(trial, start);
  EXPECT_EQ(judge(trial, {"10.200.0.2"}, start + 7s), Verdict::waiting) << "the controller was not seen since";
  trial.controller_seen = true;
  EXPECT_EQ(judge(trial, {"10.200.0.2", "10.200.0.3"}, start + 7s), Verdict::passed);
  EXPECT_EQ(judge(trial, {"10.200.0.2", "10.200.0.3"}, start + 6s), Verdict::waiting)
      << "it may only not be missed yet";
  EXPECT_EQ(judge(trial, {}, start + trial_time - 1s), Verdict::waiting);
  EXPECT_EQ(judge(trial, {}, start + trial_time), Verdict::failed);
  EXPECT_EQ(missing(trial, {}), "10.200.0.2");
}

TEST(Trial, ALongDeadTimeDoesNotOutlastTheWayBackOfBird) {
  auto trial = begin_trial(7, {"10.200.0.2"}, {"10.200.0.2"}, false, 600s, start + 40s, start);
  EXPECT_EQ(trial.until, start + 40s + trial_time) << "to be applied";
  apply(trial, start + 40s);
  EXPECT_EQ(trial.from, start + longest_trial) << "from the first of the chain";
  EXPECT_EQ(trial.until, trial.from);
  auto late = begin_trial(7, {"10.200.0.2"}, {"10.200.0.2"}, false, 600s, start + 100s, start);
  apply(late, start + 100s);
  EXPECT_EQ(late.until, start + 100s + trial_time);
}

// A node whose only link moves: the controller answers over the underlay, and the neighbour it had is not planned.
TEST(Trial, OneOfThoseInThePlaceOfEverybodyWhoWasReachedMustBeReached) {
  auto trial = begin_trial(7, {"10.200.0.3", "10.200.0.4"}, {"10.200.0.2"}, true, 4s, start, start);
  apply(trial, start);
  trial.controller_seen = true;
  EXPECT_EQ(judge(trial, {"10.200.0.2"}, start + 8s), Verdict::waiting) << "over the link that is about to go";
  EXPECT_EQ(judge(trial, {"10.200.0.2"}, start + trial_time), Verdict::failed);
  EXPECT_EQ(missing(trial, {"10.200.0.2"}), "any neighbour: not 10.200.0.3, 10.200.0.4 in the place of 10.200.0.2");
  EXPECT_EQ(judge(trial, {"10.200.0.4"}, start + 8s), Verdict::passed);
  EXPECT_EQ(missing(trial, {"10.200.0.4"}), "");
}

TEST(Trial, WithoutControllerOrNeighboursBeforeThereIsNothingToLose) {
  auto trial = begin_trial(7, {"10.200.0.2"}, {}, false, 4s, start, start);
  apply(trial, start);
  EXPECT_EQ(judge(trial, {}, start + 7s), Verdict::passed);
}

TEST(Trial, WhatIsAppliedTooLateIsNot) {
  auto trial = begin_trial(7, {}, {}, false, 4s, start, start);
  apply(trial, start + trial_time);
  EXPECT_FALSE(trial.applied);
  EXPECT_EQ(judge(trial, {}, start + trial_time), Verdict::failed);
}

}  // namespace
}  // namespace agent
