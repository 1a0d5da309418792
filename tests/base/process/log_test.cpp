#include "base/process/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(Log, WritesThePriorityComponentAndText) {
  CaptureStderr();
  process::log::warning("feed", "peer={} is late", "fra1");
  process::log::error("feed", "gone");
  std::string const out = GetCapturedStderr();
  EXPECT_THAT(out, testing::StartsWith("<4>"));
  EXPECT_THAT(out, testing::HasSubstr("feed: peer=fra1 is late\n<3>"));
}

TEST(Log, EscapesControlCharactersSoThatInputCannotForgeALine) {
  CaptureStderr();
  process::log::info("api", "name={}", "a\n<0>kernel: panic\x1b[31m");
  std::string const out = GetCapturedStderr();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  EXPECT_THAT(out, testing::HasSubstr("name=a\\n<0>kernel: panic\\x1b[31m"));
}

TEST(Log, DropsLinesBelowTheLevel) {
  CaptureStderr();
  process::log::debug("api", "not wanted");
  process::log::set_level(process::log::Level::debug);
  process::log::debug("api", "wanted");
  process::log::set_level(process::log::Level::error);
  process::log::warning("api", "not wanted either");
  process::log::set_level(process::log::Level::info);
  std::string const out = GetCapturedStderr();
  EXPECT_THAT(out, testing::StartsWith("<7>"));
  EXPECT_THAT(out, testing::HasSubstr("api: wanted\n"));
  EXPECT_THAT(out, testing::Not(testing::HasSubstr("not wanted")));
}

}  // namespace
