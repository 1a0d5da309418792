// Days of a node's life with its certificate, by a clock of the test's own.
#include "mesh/agent/following/renewal.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace agent {
namespace {

using internal_ca::Validity;
using Step = Renewal::Step;

constexpr std::int64_t begin_s = 1'800'000'000;
constexpr std::int64_t hour_s = 3600;
constexpr Validity leaf{begin_s, begin_s + 72 * hour_s};
constexpr std::int64_t look_s = 15;  // how often a node asks, when its controller does not answer

// A node that looks every few seconds from one hour to another; `answers` says whether the controller does then. A
// certificate that was given lives for 72 hours.
struct Life {
  Renewal renewal;
  Validity certificate = leaf;
  std::vector<std::int64_t> tries_s;
  std::vector<Step> steps;

  template <class Answers>
  void run(std::int64_t from_h, std::int64_t until_h, Answers answers) {
    for (auto now_s = begin_s + from_h * hour_s; now_s < begin_s + until_h * hour_s; now_s += look_s) {
      auto const step = renewal.due(certificate, true, now_s);
      if (step == Step::none) {
        continue;
      }
      tries_s.push_back(now_s);
      steps.push_back(step);
      if (answers(now_s)) {
        certificate = {now_s - 300, now_s + 72 * hour_s};
        renewal.succeeded(now_s);
      } else {
        renewal.failed("no answer", now_s, 0);
      }
    }
  }
};

TEST(Renewal, IsAtHalfOfTheLife) {
  Life life;
  life.run(0, 36, [](std::int64_t) { return true; });
  EXPECT_TRUE(life.tries_s.empty());
  life.run(36, 71, [](std::int64_t) { return true; });
  ASSERT_EQ(life.tries_s.size(), 1U);
  EXPECT_EQ(life.tries_s[0], begin_s + 36 * hour_s);
  EXPECT_EQ(life.steps[0], Step::by_certificate);
}

TEST(Renewal, IsTriedEverMoreSeldomWhileTheControllerIsAway) {
  Life life;
  life.run(36, 71, [](std::int64_t) { return false; });
  ASSERT_GT(life.tries_s.size(), 100U);
  EXPECT_LT(life.tries_s.size(), 150U) << "four an hour";
  EXPECT_LE(life.tries_s[1] - life.tries_s[0], 75);
  EXPECT_GE(life.tries_s.back() - life.tries_s[life.tries_s.size() - 2], 15 * 60);
  EXPECT_EQ(life.renewal.failure(), "no answer");
  life.run(71, 72, [](std::int64_t) { return true; });
  EXPECT_EQ(life.steps.back(), Step::by_certificate) << "an hour before its end it is still good";
  EXPECT_EQ(life.renewal.failure(), "");
}

TEST(Renewal, AfterSeventyTwoHoursWithoutTheControllerTheKeysAreShown) {
  Life life;
  std::int64_t const back_s = begin_s + 100 * hour_s;
  life.run(10, 99, [](std::int64_t) { return false; });
  EXPECT_EQ(life.certificate, leaf);
  life.run(99, 101, [&](std::int64_t now_s) { return now_s >= back_s; });
  EXPECT_EQ(life.steps.back(), Step::by_keys);
  EXPECT_LE(life.tries_s.back() - back_s, 60 + look_s) << "nothing else works then, so it does not wait for long";
  EXPECT_GT(life.certificate.until_s, back_s + 71 * hour_s);
  EXPECT_EQ(life.renewal.due(life.certificate, true, back_s + hour_s), Step::none);
}

TEST(Renewal, ANodeWithoutAPinAsksAtOnce) {
  Renewal const renewal;
  EXPECT_EQ(renewal.due(leaf, false, begin_s + hour_s), Step::by_certificate);
  EXPECT_EQ(renewal.due(leaf, true, begin_s + hour_s), Step::none);
}

TEST(Renewal, OneThatEndsWithWhatIssuedItIsRenewedAtHalfOfItsOwnLife) {
  Renewal const renewal;
  Validity const cut{begin_s, begin_s + 10 * hour_s};
  EXPECT_EQ(renewal.due(cut, true, begin_s + 4 * hour_s), Step::none);
  EXPECT_EQ(renewal.due(cut, true, begin_s + 5 * hour_s), Step::by_certificate);
}

TEST(Renewal, IsNotEndlessWhenTheNextOneEndsAtTheSameMoment) {
  Renewal renewal;
  std::size_t tries = 0;
  Validity certificate = leaf;
  for (auto now_s = begin_s + 71 * hour_s; now_s < begin_s + 72 * hour_s; now_s += look_s) {
    if (renewal.due(certificate, true, now_s) != Step::none) {
      ++tries;
      certificate = {now_s - 300, leaf.until_s};
      renewal.succeeded(now_s);
    }
  }
  EXPECT_LE(tries, 12U);
}

TEST(Renewal, AClockThatWasSetBackDoesNotStopIt) {
  Renewal renewal;
  renewal.failed("no answer", begin_s + 1000 * hour_s, 0);
  EXPECT_EQ(renewal.due(leaf, true, begin_s + 40 * hour_s), Step::by_certificate);
}

}  // namespace
}  // namespace agent
