#include "acme/schedule/failover.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Time const now{hours(500000)};

Breaker failed(unsigned times, Time at) {
  Breaker breaker;
  for (unsigned i = times; i > 0; --i) {  // one after the other, the last at `at`
    Time const end = at - seconds(2) * (i - 1);
    breaker = after_outcome(breaker, FailureClass::transient, end - seconds(1), end);
  }
  return breaker;
}

TEST(Breaker, OpensAfterThreeFailuresAndRestsLongerEachTime) {
  EXPECT_FALSE(closed_from(failed(2, now), now));
  EXPECT_EQ(closed_from(failed(3, now), now), now + minutes(1));
  EXPECT_EQ(closed_from(failed(4, now), now), now + minutes(2));
  EXPECT_EQ(closed_from(failed(7, now), now), now + minutes(16));
  EXPECT_EQ(closed_from(failed(100, now), now), now + minutes(30));
  EXPECT_FALSE(closed_from(failed(3, now), now + minutes(1)));
}

TEST(Breaker, OneOrderTriesAfterTheRestAndItsOutcomeDecides) {
  Breaker breaker = failed(3, now);
  Time const later = now + minutes(2);
  breaker.trying = true;
  EXPECT_TRUE(closed_from(breaker, later)) << "the others wait for its outcome";
  EXPECT_FALSE(closed_from(after_outcome(breaker, FailureClass::none, later, later), later));
  EXPECT_EQ(closed_from(after_outcome(breaker, FailureClass::transient, later, later), later), later + minutes(2));
  EXPECT_FALSE(closed_from(after_outcome(breaker, FailureClass::policy, later, later), later)) << "it answered";
  Breaker const deferred = after_outcome(breaker, FailureClass::deferred, later, later);
  EXPECT_FALSE(deferred.trying) << "it was not asked, so the next order tries";
  EXPECT_EQ(deferred.failures, 3U);
}

// Eight orders at a time, each fails after its own while; the CA is away for as long as it takes.
TEST(Breaker, WhatFailsTogetherIsOneFailure) {
  Breaker breaker;
  Time began = now;
  for (unsigned wave = 1; wave <= 3; ++wave) {
    EXPECT_FALSE(closed_from(breaker, began)) << "wave " << wave;
    for (int order = 0; order < 8; ++order) {
      breaker =
          after_outcome(breaker, FailureClass::transient, began + milliseconds(order), began + seconds(30 + order));
      EXPECT_EQ(breaker.failures, wave) << "order " << order;
    }
    began += seconds(60);
  }
  EXPECT_EQ(*breaker.failed_at, now + seconds(150)) << "the first of the third wave";
  EXPECT_EQ(closed_from(breaker, now + seconds(150)), now + seconds(210));
}

TEST(Breaker, AStragglerOfTheOutageNeitherCountsNorEndsTheTry) {
  Breaker breaker = failed(3, now);
  breaker.trying = true;
  Time const later = now + minutes(2);
  for (auto const failure : {FailureClass::transient, FailureClass::deferred}) {
    Breaker const after = after_outcome(breaker, failure, now - seconds(10), later);
    EXPECT_TRUE(after.trying);
    EXPECT_EQ(after.failures, 3U);
    EXPECT_EQ(after.open_until, breaker.open_until);
  }
  EXPECT_EQ(after_outcome(breaker, FailureClass::none, now - seconds(10), later).failures, 0U) << "it answers again";
}

TEST(Authority, IsTheFirstThatMayBeAsked) {
  std::vector<Breaker> const closed(3);
  std::vector<std::optional<Time>> free(3);
  EXPECT_EQ(choose_authority(closed, free, std::nullopt, now).authority, 0U);
  free[0] = now + hours(1);
  EXPECT_EQ(choose_authority(closed, free, std::nullopt, now).authority, 1U);
  free[0] = now;
  EXPECT_EQ(choose_authority(closed, free, std::nullopt, now).authority, 0U)
      << "and the first again when its time came";
  EXPECT_EQ(choose_authority({failed(3, now), Breaker{}, Breaker{}}, free, std::nullopt, now).authority, 1U);
}

TEST(Authority, WaitsForTheEarliestAndForWhatConcernsAll) {
  std::vector<Breaker> const breakers{failed(3, now), Breaker{}};
  std::vector<std::optional<Time>> const parked{std::nullopt, now + hours(1)};
  Choice const none = choose_authority(breakers, parked, std::nullopt, now);
  EXPECT_FALSE(none.authority);
  EXPECT_EQ(none.wake, now + minutes(1));
  Choice const everywhere = choose_authority(std::vector<Breaker>(2), {{}, {}}, now + minutes(5), now);
  EXPECT_FALSE(everywhere.authority);
  EXPECT_EQ(everywhere.wake, now + minutes(5));
}

TEST(Authority, OnlyWhatAnotherWouldNotShareParksANameAtOneAlone) {
  for (auto const failure : {FailureClass::transient, FailureClass::not_before, FailureClass::policy,
                             FailureClass::account, FailureClass::ours}) {
    EXPECT_TRUE(concerns_one_authority(failure)) << name(failure);
  }
  for (auto const failure : {FailureClass::validation, FailureClass::deferred}) {
    EXPECT_FALSE(concerns_one_authority(failure)) << name(failure);
  }
}

}  // namespace
}  // namespace acme
