#include "dns-backend/commands/place.hpp"

#include <gtest/gtest.h>

namespace commands {
namespace {

TEST(Place, WhatIsSaidNamesTheProgramAndKeepsTheExitCode) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(say("no such zone", 2), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "navigator: no such zone\n");
}

}  // namespace
}  // namespace commands
