#include "dns-backend/monitor/report.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace monitor {
namespace {

constexpr std::int64_t now_ms = 1'700'000'000'000;

Report report(std::uint64_t sequence, std::int64_t at_ms) {
  return {true, "", std::nullopt, sequence, at_ms};
}

TEST(Report, IsBelievedOnceAndInItsTime) {
  EXPECT_TRUE(believable(report(1, now_ms), 0, now_ms));
  EXPECT_TRUE(believable(report(9, now_ms - 60'000), 8, now_ms));
  EXPECT_TRUE(believable(report(9, now_ms + 60'000), 8, now_ms));
  EXPECT_EQ(believable(report(9, now_ms - 60'001), 8, now_ms).error().code, errc::misdated);
  EXPECT_EQ(believable(report(9, now_ms + 60'001), 8, now_ms).error().code, errc::misdated);
  EXPECT_EQ(believable(report(8, now_ms), 8, now_ms).error().code, errc::replayed);
  EXPECT_EQ(believable(report(0, now_ms), 0, now_ms).error().code, errc::replayed);
}

TEST(Report, MayHoldAnyNumber) {
  using Date = std::numeric_limits<std::int64_t>;
  EXPECT_FALSE(believable(report(1, Date::min()), 0, now_ms));
  EXPECT_FALSE(believable(report(1, Date::max()), 0, now_ms));
  auto const most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(believable(report(most, now_ms), most - 1, now_ms));
}

TEST(Report, IsRefusedWithItsReason) {
  EXPECT_EQ(believable(report(3, now_ms), 7, now_ms).error().what(), "sequence 3 is not above 7 (replayed report)");
}

}  // namespace
}  // namespace monitor
