// When checks are due; how they run is tested in monitor_test.cpp.
#include "dns-backend/monitor/engine.hpp"

#include "dns-backend/monitor/monitor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace monitor {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(FirstDelay, SpreadsAllButTheFirstOverHalfOfTheInterval) {
  milliseconds const interval{5000};
  EXPECT_EQ(first_delay(0, 10'000, 256, interval).count(), 0);
  EXPECT_EQ(first_delay(255, 10'000, 256, interval).count(), 0);
  microseconds before{0};
  for (std::size_t index = 256; index < 10'000; ++index) {
    microseconds const delay = first_delay(index, 10'000, 256, interval);
    EXPECT_GE(delay, before);
    EXPECT_LE(delay - before, microseconds(250)) << "evenly";
    before = delay;
  }
  EXPECT_GT(before, milliseconds(2300));
  EXPECT_LT(before, milliseconds(2500));
}

TEST(OnTheBeat, PutsOffByLessThanAFiveHundredthOfTheInterval) {
  for (milliseconds const interval : {milliseconds(1), milliseconds(100), milliseconds(5000), milliseconds(60'000)}) {
    auto const beat = std::min<std::chrono::nanoseconds>(std::chrono::nanoseconds(interval) / 500, milliseconds(10));
    for (int i = 0; i < 1000; ++i) {
      probe::Time const at{std::chrono::nanoseconds(1'000'000'007LL * i)};
      probe::Time const put = on_the_beat(at, interval);
      EXPECT_GE(put, at);
      EXPECT_LT(put - at, beat);
      EXPECT_EQ(put.time_since_epoch() % beat, std::chrono::nanoseconds(0));
    }
  }
  probe::Time const at{std::chrono::nanoseconds(12345)};
  EXPECT_EQ(on_the_beat(at, milliseconds(0)), at);
}

TEST(FirstPause, IsARandomPartOfTheInterval) {
  std::chrono::milliseconds least{1000000};
  std::chrono::milliseconds most{0};
  for (std::uint32_t random = 0; random < 20000; ++random) {
    auto const wait = first_pause(std::chrono::milliseconds(5000), random * 2654435761U);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least.count(), 500);
  EXPECT_LE(least.count(), 520);
  EXPECT_LE(most.count(), 5000);
  EXPECT_GE(most.count(), 4980);
  EXPECT_EQ(first_pause(std::chrono::milliseconds(0), 7).count(), 1) << "never a busy loop";
}

TEST(Jitter, StaysWithinATenthOfTheInterval) {
  std::chrono::milliseconds least{1000000};
  std::chrono::milliseconds most{0};
  for (std::uint32_t random = 0; random < 5000; ++random) {
    auto const wait = jittered(std::chrono::milliseconds(5000), random * 2654435761U);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least.count(), 4500);
  EXPECT_LE(least.count(), 4520);
  EXPECT_LE(most.count(), 5500);
  EXPECT_GE(most.count(), 5480);
  EXPECT_EQ(jittered(std::chrono::milliseconds(0), 7).count(), 1) << "never a busy loop";
  EXPECT_EQ(jittered(std::chrono::milliseconds(3), 7).count(), 3);
}

}  // namespace
}  // namespace monitor
