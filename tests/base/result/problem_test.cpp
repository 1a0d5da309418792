#include "base/result/problem.hpp"

#include "base/result/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace {

TEST(Problem, SaysPlacePathMessageAndHint) {
  base::Problem const problem{{"site.yaml", 14, 7}, "nodes[2].site", "no site is named 'amz'", "did you mean 'ams'?"};
  EXPECT_EQ(problem.text(), "site.yaml:14:7: nodes[2].site: no site is named 'amz' (did you mean 'ams'?)");
}

TEST(Problem, LeavesOutWhatIsUnknown) {
  EXPECT_EQ((base::Problem{{"request body", 0, 0}, "label", "is missing", ""}.text()), "request body: label: is missing");
  EXPECT_EQ((base::Problem{{"a.zone", 3, 0}, "", "no SOA", ""}.text()), "a.zone:3: no SOA");
  EXPECT_EQ((base::Problem{{}, "", "no SOA", ""}.text()), "no SOA");
}

TEST(Problem, ListsOneALine) {
  base::Problems const problems{{{"f", 1, 1}, "", "one", ""}, {{"f", 2, 1}, "", "two", ""}};
  EXPECT_EQ(base::text(problems), "f:1:1: one\nf:2:1: two\n");
}

TEST(Failure, OfASystemCallNamesTheCauseOnce) {
  auto const failure = base::fail_errno(ENOENT, "cannot open /nowhere");
  EXPECT_EQ(failure.what(), "cannot open /nowhere: No such file or directory");
}

TEST(Result, ThrowsItsSentenceWhenTheValueIsDemanded) {
  base::Result<int> const result = base::fail_errno(EACCES, "cannot read the key");
  try {
    (void)result.value();
    FAIL() << "a failed Result gave a value";
  } catch (std::exception const& error) {
    EXPECT_NE(std::string(error.what()).find("cannot read the key: Permission denied"), std::string::npos);
  }
}

TEST(AssertDeathTest, EndsTheProcessAndNamesTheInvariant) {
  EXPECT_DEATH(ASSERT(1 + 1 == 3), "invariant broken: 1 \\+ 1 == 3");
}

}  // namespace
