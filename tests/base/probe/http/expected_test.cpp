#include "base/probe/http/expected.hpp"

#include <gmock/gmock.h>

namespace probe {
namespace {

TEST(ExpectedCodes, MatchesSingleCodesClassesAndRanges) {
  EXPECT_TRUE(code_matches("200", 200));
  EXPECT_FALSE(code_matches("200", 201));
  EXPECT_TRUE(code_matches("2xx", 200));
  EXPECT_TRUE(code_matches("2XX", 299));
  EXPECT_FALSE(code_matches("2xx", 300));
  EXPECT_TRUE(code_matches("301-399", 301));
  EXPECT_TRUE(code_matches("301-399", 399));
  EXPECT_FALSE(code_matches("301-399", 300));
  EXPECT_TRUE(code_matches("200, 301 - 399 ,5xx", 503));
  EXPECT_FALSE(code_matches("200,301-399,5xx", 404));
}

TEST(ExpectedCodes, NeverMatchesWhenAnyPartIsWrong) {
  for (char const* const wrong :
       {"",     ",",    "200,", ",200",    "2x",      "2xxx",     "xx2",     "0xx",  "6xx", "99",  "600",  "1000",
        "20 0", "-200", "200-", "300-200", "200-2xx", "200--300", "200;300", "+200", "2xX", "abc", "200\n"}) {
    EXPECT_FALSE(valid_codes(wrong)) << wrong;
    EXPECT_FALSE(code_matches(wrong, 200)) << wrong;
  }
  EXPECT_FALSE(code_matches("200,nonsense", 200)) << "one bad part spoils the pattern";
}

TEST(ExpectedCodes, HasALimitOnItsParts) {
  std::string pattern = "200";
  for (int i = 1; i < 64; ++i) {
    pattern += ",200";
  }
  EXPECT_TRUE(valid_codes(pattern));
  EXPECT_FALSE(valid_codes(pattern + ",200"));
}

TEST(Pattern, IsRefusedWithItsProblem) {
  EXPECT_EQ(pattern_problem("a+b?"), "");
  EXPECT_EQ(pattern_problem("(a"), "missing ): (a");
  EXPECT_THAT(pattern_problem("(a)\\1"), testing::HasSubstr("invalid escape sequence"))
      << "nothing that needs backtracking";
  EXPECT_THAT(pattern_problem("((a{100}){100}){100}"), testing::Not("")) << "no room for that";
  EXPECT_EQ(pattern_problem(std::string(1025, 'a')), "longer than 1,024 characters");
}

}  // namespace
}  // namespace probe
