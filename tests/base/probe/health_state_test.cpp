#include "base/probe/health_state.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace probe {
namespace {

Time at(int second) {
  return Time(std::chrono::seconds(second));
}

// '+' and '-' are checks; the answer has the state after each: '?', 'u' or 'd'.
std::string run(HealthState state, std::string const& checks) {
  std::string out;
  int second = 0;
  for (char const check : checks) {
    Health const before = state.health();
    auto const transition = state.observe(check == '+', at(++second));
    EXPECT_EQ(transition.has_value(), state.health() != before);
    if (transition) {
      EXPECT_EQ(transition->from, before);
      EXPECT_EQ(transition->to, state.health());
      EXPECT_EQ(transition->at, at(second));
    }
    out += std::string("?ud")[static_cast<std::size_t>(state.health())];
  }
  return out;
}

struct Case {
  char const* says;
  unsigned up;
  unsigned down;
  Health initial;
  char const* checks;
  char const* states;
};

class HealthStateTable : public testing::TestWithParam<Case> {};

TEST_P(HealthStateTable, FollowsTheTable) {
  Case const& row = GetParam();
  EXPECT_EQ(run(HealthState({row.up, row.down}, row.initial), row.checks), row.states) << row.says;
}

INSTANTIATE_TEST_SUITE_P(
    , HealthStateTable,
    testing::Values(Case{"the first good check decides alone", 3, 3, Health::unknown, "+", "u"},
                    Case{"the first bad check decides alone", 3, 3, Health::unknown, "-", "d"},
                    Case{"thresholds of one follow every check", 1, 1, Health::unknown, "+-+-", "udud"},
                    Case{"fall after three in a row", 2, 3, Health::up, "---+", "uudd"},
                    Case{"rise after two in a row", 2, 3, Health::down, "++-", "duu"},
                    Case{"a good check forgives earlier failures", 2, 3, Health::up, "--+--+--", "uuuuuuuu"},
                    Case{"a bad check forgets earlier successes", 3, 1, Health::down, "++-++-++", "dddddddd"},
                    Case{"the streak begins anew after a flip", 2, 2, Health::up, "--++--", "udduud"},
                    Case{"warm state from before a restart is kept", 2, 2, Health::up, "-+-+", "uuuu"},
                    Case{"a threshold of zero means one", 0, 0, Health::up, "-+", "du"}));

TEST(HealthState, NeverFlipsUnderASquareWaveShorterThanItsThresholds) {
  for (unsigned threshold = 2; threshold <= 6; ++threshold) {
    for (unsigned half_period = 1; half_period < threshold; ++half_period) {
      for (Health const initial : {Health::up, Health::down}) {
        HealthState state({threshold, threshold}, initial);
        for (unsigned i = 0; i < 200; ++i) {
          ASSERT_FALSE(state.observe((i / half_period) % 2 == 0, at(static_cast<int>(i))))
              << "threshold " << threshold << " half period " << half_period;
        }
      }
    }
  }
}

TEST(HealthState, FlipsOnEveryEdgeOfAWaveAsLongAsItsThresholds) {
  HealthState state({3, 3}, Health::up);
  int flips = 0;
  for (int i = 0; i < 60; ++i) {
    flips += state.observe((i / 3) % 2 != 0, at(i)).has_value() ? 1 : 0;
  }
  EXPECT_EQ(flips, 20);
}

TEST(HealthState, TellsHowManyChecksAreMissingBeforeItCanChange) {
  HealthState state({2, 3});
  EXPECT_EQ(state.checks_to_change(), 1U);
  state.observe(true, at(1));
  EXPECT_EQ(state.checks_to_change(), 3U);
  state.observe(false, at(2));
  EXPECT_EQ(state.checks_to_change(), 2U);
  state.observe(false, at(3));
  EXPECT_EQ(state.checks_to_change(), 1U);
  state.observe(false, at(4));
  EXPECT_EQ(state.checks_to_change(), 2U);
}

TEST(HealthState, NamesEveryState) {
  EXPECT_STREQ(name(Health::unknown), "unknown");
  EXPECT_STREQ(name(Health::up), "up");
  EXPECT_STREQ(name(Health::down), "down");
}

}  // namespace
}  // namespace probe
