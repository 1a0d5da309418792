#include "acme/schedule/renewal.hpp"

#include <gmock/gmock.h>

#include <set>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::ElementsAre;

Time const begin{hours(500000)};

TEST(Renewal, IsDueAfterTwoThirdsOfALongLife) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Time const due = renewal_due(begin, begin + days(90), 0, seed);
    EXPECT_LE(due, begin + days(60));
    EXPECT_GE(due, begin + days(60) - milliseconds(days(90)) / 50);
  }
}

TEST(Renewal, IsDueAfterHalfOfAShortLife) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Time const due = renewal_due(begin, begin + hours(160), 0, seed);
    EXPECT_LE(due, begin + hours(80));
    EXPECT_GE(due, begin + hours(76));
  }
}

TEST(Renewal, TheSameSeedGivesTheSameMomentAndSeedsSpread) {
  EXPECT_EQ(renewal_due(begin, begin + days(90), 0, 7), renewal_due(begin, begin + days(90), 0, 7));
  std::set<Time> moments;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    moments.insert(renewal_due(begin, begin + days(90), 0, seed));
  }
  EXPECT_EQ(moments.size(), 100U);
  // Spread, and not huddled at one end: the middle of the range is populated on both sides.
  EXPECT_LT(*moments.begin(), begin + days(60) - hours(30));
  EXPECT_GT(*moments.rbegin(), begin + days(60) - hours(10));
}

TEST(Renewal, AFractionCanBeSetAndNonsenseIsIgnored) {
  EXPECT_LE(renewal_due(begin, begin + days(100), 0.1, 1), begin + days(10));
  for (double const nonsense : {-1.0, 1.0, 17.0}) {
    EXPECT_GE(renewal_due(begin, begin + days(90), nonsense, 1), begin + days(58));
  }
}

TEST(Renewal, AWindowThatIsUpsideDownIsDueAtOnce) {
  EXPECT_EQ(renewal_due(begin, begin - days(1), 0, 1), begin);
}

TEST(Pause, ClimbsTheLadderAndStaysAtADay) {
  std::vector<milliseconds> pauses;
  for (unsigned failures = 1; failures <= 6; ++failures) {
    pauses.push_back(pause_after(FailureClass::validation, failures, minutes(1)));
  }
  EXPECT_THAT(pauses, ElementsAre(minutes(1), minutes(10), minutes(100), days(1), days(1), days(1)));
}

TEST(Pause, ATransientFailureDoublesUpToAnHour) {
  EXPECT_EQ(pause_after(FailureClass::transient, 1, minutes(1)), minutes(1));
  EXPECT_EQ(pause_after(FailureClass::transient, 3, minutes(1)), minutes(4));
  EXPECT_EQ(pause_after(FailureClass::transient, 60, minutes(1)), hours(1));
}

TEST(Pause, ADeferralWaitsTheSameEachTime) {
  EXPECT_EQ(pause_after(FailureClass::deferred, 0, minutes(1)), minutes(1));
  EXPECT_EQ(pause_after(FailureClass::deferred, 9, minutes(1)), minutes(1));
}

TEST(Pause, ARateLimitWithoutATimeWaitsAnHour) {
  EXPECT_EQ(pause_after(FailureClass::not_before, 1, minutes(1)), hours(1));
}

protocol::RenewalWindow window(hours from, hours to) {
  return {begin + from, begin + to, {}};
}

TEST(Suggestion, IsDrawnOnceForAWindowAndInsideIt) {
  std::set<Time> drawn;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Suggestion const first = suggestion_of(window(hours(10), hours(20)), std::nullopt, seed);
    EXPECT_GE(first.at, begin + hours(10));
    EXPECT_LT(first.at, begin + hours(20));
    drawn.insert(first.at);
    EXPECT_EQ(suggestion_of(window(hours(10), hours(20)), first, seed + 1), first) << "the window is the same";
    EXPECT_GE(suggestion_of(window(hours(30), hours(31)), first, seed).at, begin + hours(30));
  }
  EXPECT_GT(drawn.size(), 190U) << "certificates issued together do not renew together";
}

TEST(Suggestion, IsAskedForAtTheAuthoritysPaceWithinBounds) {
  EXPECT_EQ(next_question("3600", begin, 1), begin + hours(1));
  EXPECT_EQ(next_question("1", begin, 1), begin + minutes(1));
  EXPECT_EQ(next_question("500000", begin, 1), begin + hours(24));
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_LE(next_question("", begin, seed), begin + hours(6));
    EXPECT_GE(next_question("soon", begin, seed), begin + hours(6) - minutes(45));
  }
}

TEST(Moment, IsTheAuthoritysButNeverInTheLastTwentiethOfALife) {
  Time const end = begin + days(100);
  Time const own = begin + days(66);
  EXPECT_EQ(renewal_moment(own, std::nullopt, begin, end), own);
  EXPECT_EQ(renewal_moment(own, Suggestion{{}, begin + days(70)}, begin, end), begin + days(70));
  EXPECT_EQ(renewal_moment(own, Suggestion{{}, begin - days(1)}, begin, end), begin - days(1)) << "revoked soon: now";
  EXPECT_EQ(renewal_moment(own, Suggestion{{}, end + days(5)}, begin, end), begin + days(95));
  EXPECT_EQ(renewal_moment(end + days(1), std::nullopt, begin, end), begin + days(95)) << "a fraction of 1.01, say";
}

}  // namespace
}  // namespace acme
