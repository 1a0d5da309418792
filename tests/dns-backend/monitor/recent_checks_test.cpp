#include "dns-backend/monitor/recent_checks.hpp"

#include <gtest/gtest.h>

namespace monitor {
namespace {

TEST(RecentChecks, HoldsTheLastTenNewestFirst) {
  RecentChecks recent;
  EXPECT_EQ(recent.last(), nullptr);
  EXPECT_TRUE(recent.newest_first().empty());
  for (int i = 1; i <= 23; ++i) {
    recent.add(i, std::chrono::microseconds(i * 10), i % 2 == 0, "r" + std::to_string(i), i == 23 ? "old" : "");
    ASSERT_NE(recent.last(), nullptr);
    EXPECT_EQ(recent.last()->at_ms, i);
  }
  auto const all = recent.newest_first();
  ASSERT_EQ(all.size(), RecentChecks::count_max);
  EXPECT_EQ(all.front().reason, "r23");
  EXPECT_EQ(all.front().warning, "old");
  EXPECT_EQ(all.front().elapsed.count(), 230);
  EXPECT_FALSE(all.front().success);
  EXPECT_EQ(all.back().reason, "r14");
  EXPECT_EQ(all.back().warning, "");
}

TEST(RecentChecks, CutsEndlessTexts) {
  RecentChecks recent;
  recent.add(1, {}, false, std::string(10000, 'x'), std::string(10000, 'y'));
  EXPECT_EQ(recent.last()->reason.size(), RecentChecks::text_max);
  EXPECT_EQ(recent.last()->warning.size(), RecentChecks::text_max);
}

}  // namespace
}  // namespace monitor
