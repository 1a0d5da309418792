#include "dns-backend/monitor/endpoint_state.hpp"

#include <gtest/gtest.h>

#include <string>

namespace monitor {
namespace {

using probe::Health;

Instant at(int second) {
  return {probe::Time(std::chrono::seconds(second)), second * 1000LL};
}

// One character is one second: '+' and '-' are checks, 'U', 'D', 'R' force up, down and draining, 'N' takes it back,
// 'u' forces up for three seconds, '.' only looks at the clock. The answer has the effective health after each.
std::string run(EndpointState state, std::string const& steps) {
  std::string out;
  int second = 0;
  for (char const step : steps) {
    Instant const now = at(++second);
    Health const before = state.effective();
    std::optional<probe::Transition> transition;
    switch (step) {
      case '+':
      case '-':
        transition = state.observe(step == '+', now);
        break;
      case 'U':
        transition = state.force({Forced::up, 0, ""}, now);
        break;
      case 'u':
        transition = state.force({Forced::up, now.unix_ms + 3000, ""}, now);
        break;
      case 'D':
        transition = state.force({Forced::down, 0, ""}, now);
        break;
      case 'R':
        transition = state.force({Forced::draining, 0, ""}, now);
        break;
      case 'N':
        transition = state.force({}, now);
        break;
      default:
        transition = state.settle(now);
    }
    EXPECT_EQ(transition.has_value(), state.effective() != before);
    if (transition) {
      EXPECT_EQ(transition->from, before);
      EXPECT_EQ(transition->to, state.effective());
      EXPECT_EQ(transition->at, now.steady);
    }
    out += std::string("?udr")[static_cast<std::size_t>(state.effective())];
  }
  return out;
}

struct Case {
  char const* says;
  probe::Thresholds thresholds;
  Health initial;
  char const* steps;
  char const* effective;
};

class EndpointStateTable : public testing::TestWithParam<Case> {};

TEST_P(EndpointStateTable, FollowsTheTable) {
  Case const& row = GetParam();
  EXPECT_EQ(run(EndpointState(row.thresholds, row.initial), row.steps), row.effective) << row.says;
}

INSTANTIATE_TEST_SUITE_P(
    , EndpointStateTable,
    testing::Values(Case{"without an order the checks decide", {1, 2}, Health::unknown, "+--+", "uudu"},
                    Case{"forced down stays down whatever is seen", {1, 1}, Health::up, "D++N", "dddu"},
                    Case{"forced up hides failures until it is taken back", {1, 2}, Health::up, "U---N", "uuuud"},
                    Case{"draining hides up and never down", {1, 1}, Health::up, "R-+-N", "rdrdd"},
                    Case{"forced before the first check", {1, 1}, Health::unknown, "UN", "u?"},
                    Case{"one order after another", {1, 1}, Health::up, "DRUN", "druu"},
                    Case{"an order ends at its time without a check", {1, 1}, Health::down, "u...", "uuud"},
                    Case{"an order ends at its time with a check", {1, 1}, Health::down, "u--+-", "uuuud"},
                    Case{"an order that ended does not come back",
                         {1, 1},
                         Health::down,
                         "u....+",
                         "uuudd"
                         "u"},
                    Case{"streaks count on under an order", {1, 3}, Health::up, "-D-N-", "uddud"},
                    Case{"the same order again changes nothing", {1, 1}, Health::up, "DD", "dd"}));

TEST(EndpointState, WhatTheSitesDecideCountsInsteadOfTheChecksHere) {
  EndpointState state({1, 1}, Health::up);
  EXPECT_FALSE(state.judge(Health::up, at(1)).has_value());
  EXPECT_FALSE(state.observe(false, at(2)).has_value()) << "one site alone";
  EXPECT_EQ(state.observed(), Health::down);
  EXPECT_EQ(state.effective(), Health::up);
  EXPECT_TRUE(state.judge(Health::down, at(3)).has_value());
  EXPECT_EQ(state.effective(), Health::down);
  state.force({Forced::up, 0, ""}, at(4));
  EXPECT_EQ(state.effective(), Health::up) << "an operator stands above the sites";
  state.force({}, at(5));
  EXPECT_EQ(state.effective(), Health::down);
  EXPECT_FALSE(state.judge(std::nullopt, at(6)).has_value());
  EXPECT_EQ(state.effective(), Health::down) << "the checks say so too";
}

TEST(EndpointState, KeepsWhatWasObservedBesideTheOrder) {
  EndpointState state({1, 1}, Health::up);
  state.force({Forced::draining, 0, "moving house"}, at(1));
  EXPECT_EQ(state.observed(), Health::up);
  EXPECT_EQ(state.effective(), Health::draining);
  state.observe(false, at(2));
  EXPECT_EQ(state.observed(), Health::down);
  EXPECT_EQ(state.effective(), Health::down) << "it fails, and may not be answered before one that does not";
  EXPECT_EQ(state.order().reason, "moving house");
  EXPECT_STREQ(name(state.order().to), "draining");
}

TEST(EndpointState, IgnoresAnOrderThatIsOverAlready) {
  EndpointState state({1, 1}, Health::up);
  EXPECT_FALSE(state.force({Forced::down, 4000, ""}, at(4)).has_value());
  EXPECT_EQ(state.order().to, Forced::none);
}

TEST(StableSeconds, CountTheChecksThatAreStillMissing) {
  using std::chrono::milliseconds;
  milliseconds const interval{10'000};
  EndpointState state({2, 3}, Health::up);
  EXPECT_EQ(state.stable_s(interval, interval, 0), 29U) << "three checks less a tenth of an interval";
  EXPECT_EQ(state.stable_s(interval, milliseconds(1000), 0), 20U) << "the next one comes early";
  state.observe(false, at(1));
  EXPECT_EQ(state.stable_s(interval, interval, 0), 19U);
  state.observe(false, at(2));
  EXPECT_EQ(state.stable_s(interval, interval, 0), 9U);
  state.observe(false, at(3));
  EXPECT_EQ(state.stable_s(interval, interval, 0), 19U) << "two successes are needed to rise";
  EXPECT_EQ(state.stable_s(milliseconds(300), milliseconds(300), 0), 0U);
  EXPECT_EQ(EndpointState({1, 9999}, Health::up).stable_s(interval, interval, 0), 65535U);
}

TEST(StableSeconds, AreNoMoreThanTheSitesJudgementAllows) {
  std::chrono::milliseconds const interval{10'000};
  EndpointState state({2, 3}, Health::up);
  EXPECT_FALSE(state.judge(Health::up, at(1), 5));
  EXPECT_EQ(state.stable_s(interval, interval, 0), 5U) << "the checks alone would say 29";
  state.observe(false, at(2));
  state.observe(false, at(3));
  EXPECT_EQ(state.stable_s(interval, std::chrono::milliseconds(2000), 0), 1U) << "the checks here may end it sooner";
  state.judge(Health::up, at(4));
  EXPECT_EQ(state.stable_s(interval, interval, 0), 9U) << "no longer a close one";
  state.judge(Health::up, at(5), 5);
  state.force({Forced::up, 0, ""}, at(6));
  EXPECT_EQ(state.stable_s(interval, interval, 0), 65535U) << "an order stands above the sites as well";
}

TEST(StableSeconds, LastUnderAnOrderUntilItsEnd) {
  std::chrono::milliseconds const interval{1000};
  EndpointState state({1, 1}, Health::up);
  state.force({Forced::down, 0, ""}, at(1));
  EXPECT_EQ(state.stable_s(interval, interval, 1000), 65535U);
  state.force({Forced::down, 61'500, ""}, at(1));
  EXPECT_EQ(state.stable_s(interval, interval, 1000), 60U);
  EXPECT_EQ(state.stable_s(interval, interval, 70'000), 0U) << "over, and nobody looked yet";
}

}  // namespace
}  // namespace monitor
