#include "mesh/agent/belief/second_look.hpp"

#include <gtest/gtest.h>

namespace agent {
namespace {

using namespace std::chrono_literals;

SecondLook::Moment const start = SecondLook::Moment{} + 1h;
constexpr std::int64_t wall_s = 1'800'000'000;

TEST(SecondLook, NothingIsLookedAtAgainUnlessAFileWasFromTheFuture) {
  SecondLook look;
  EXPECT_FALSE(look.due(start + 1h, wall_s));
}

TEST(SecondLook, IsDueOnceWhenTheClockIsSet) {
  SecondLook look;
  look.owe(start, wall_s);
  EXPECT_FALSE(look.due(start + 20s, wall_s + 21)) << "it is only slewed";
  EXPECT_TRUE(look.due(start + 21s, wall_s + 21 + 1380)) << "NTP has set it";
  EXPECT_FALSE(look.due(start + 22s, wall_s + 22 + 1380));
}

TEST(SecondLook, IsDueAfterAMinuteOfAClockThatRuns) {
  SecondLook look;
  look.owe(start, wall_s);
  EXPECT_FALSE(look.due(start + 59s, wall_s + 59));
  EXPECT_TRUE(look.due(start + 60s, wall_s + 60));
}

TEST(SecondLook, IsDueWhenTheClockIsSetBack) {
  SecondLook look;
  look.owe(start, wall_s);
  EXPECT_TRUE(look.due(start + 1s, wall_s - 3600));
}

}  // namespace
}  // namespace agent
