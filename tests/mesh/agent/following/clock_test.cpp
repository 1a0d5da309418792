#include "mesh/agent/following/follower.hpp"

#include <gtest/gtest.h>

namespace agent {
namespace {

TEST(Clock, IsComparedWithTheDateOfTheControllersAnswer) {
  // RFC 9110, 5.6.7 has this date as an example: 784,111,777 seconds after the epoch.
  constexpr auto* date = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(clock_ahead_s(date, 784111777), 0);
  EXPECT_EQ(clock_ahead_s(date, 784111777 + 95), 95);
  EXPECT_EQ(clock_ahead_s(date, 784111777 - 3600), -3600);
}

TEST(Clock, AnAnswerWithoutADateSaysNothing) {
  EXPECT_EQ(clock_ahead_s("", 1000), std::nullopt);
  EXPECT_EQ(clock_ahead_s("yesterday", 1000), std::nullopt);
  EXPECT_EQ(clock_ahead_s("Sun, 06 Nov 1994", 1000), std::nullopt);
}

}  // namespace
}  // namespace agent
