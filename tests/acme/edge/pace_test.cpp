#include "acme/edge/pace.hpp"

#include <gtest/gtest.h>

namespace edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ReloadPace::Time const start{std::chrono::hours(1000)};

TEST(ReloadPace, AHandfulAtOnceAndThenOneInEachPause) {
  ReloadPace pace({10, milliseconds(2000)});
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(pace.rest(start), milliseconds(0)) << i;
    pace.reloaded(start, start);
  }
  EXPECT_EQ(pace.rest(start), seconds(2));
  EXPECT_EQ(pace.rest(start + seconds(2)), milliseconds(0));
  pace.reloaded(start + seconds(2), start + seconds(2));
  EXPECT_EQ(pace.rest(start + seconds(2)), seconds(2));
  // Left alone it gains the handful again.
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(pace.rest(start + seconds(22)), milliseconds(0)) << i;
    pace.reloaded(start + seconds(22), start + seconds(22));
  }
  EXPECT_EQ(pace.rest(start + seconds(22)), seconds(2));
}

TEST(ReloadPace, AReloadThatTakesLongRestsLonger) {
  ReloadPaceSettings settings{1, milliseconds(2000)};
  ReloadPace pace(settings);
  pace.reloaded(start, start + milliseconds(700));
  EXPECT_EQ(pace.rest(start + milliseconds(700)), seconds(7));
  pace.reloaded(start + seconds(10), start + seconds(40));
  EXPECT_EQ(pace.rest(start + seconds(40)), seconds(60)) << "and no longer than a minute";
}

// A pass that looks for a bundle by halves reloads often.
TEST(ReloadPace, NobodyWaitsForMoreThanOnePause) {
  ReloadPace pace({10, milliseconds(2000)});
  for (int i = 0; i < 100; ++i) {
    pace.reloaded(start, start);
  }
  EXPECT_EQ(pace.rest(start), seconds(2));
}

}  // namespace
}  // namespace edge
