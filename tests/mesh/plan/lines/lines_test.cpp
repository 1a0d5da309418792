#include "mesh/plan/lines/lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> compared(std::string_view before, std::string_view after) {
  std::vector<std::string> out;
  compare_lines("f", before, after, out);
  return out;
}

TEST(Lines, OfTheSameTextsAreNone) {
  EXPECT_THAT(compared("a\nb\n", "a\nb\n"), IsEmpty());
  EXPECT_THAT(compared("", ""), IsEmpty());
  EXPECT_THAT(compared("a\n\nb\n", "a\nb\n"), IsEmpty()) << "blank lines say nothing";
}

TEST(Lines, AreThoseOfOneTextOnlyInTheirOrder) {
  EXPECT_THAT(compared("a\n  b\nc\n", "a\n  x\nc\nd"), ElementsAre("f: - b", "f: + x", "f: + d"));
  EXPECT_THAT(compared("", "a\nb\n"), ElementsAre("f: + a", "f: + b"));
  EXPECT_THAT(compared("a\nb\n", ""), ElementsAre("f: - a", "f: - b"));
}

TEST(Lines, OfLongTextsAreReplacedAsAWhole) {
  std::string before;
  std::string after;
  for (int i = 0; i < 3000; ++i) {
    before += "x" + std::to_string(i) + "\n";
    after += "y" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(compared("same\n" + before, "same\n" + after).size(), 6000U);
}

}  // namespace
}  // namespace plan
