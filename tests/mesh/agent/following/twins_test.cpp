#include "mesh/agent/following/follower.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TwinsIn, AreThePlacesInTheAnswerToAReport) {
  EXPECT_THAT(twins_in(R"({"twins":["198.51.100.7","2001:db8::7"]})"), ElementsAre("198.51.100.7", "2001:db8::7"));
}

TEST(TwinsIn, AreNoneInWhateverElseComes) {
  for (char const* text : {"", "{}", "[]", "7", R"({"twins":7})", R"({"twins":[7,{}]})", R"({"twins":)"}) {
    EXPECT_THAT(twins_in(text), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace agent
