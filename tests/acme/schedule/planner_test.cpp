#include "acme/schedule/planner.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time start{std::chrono::milliseconds(1'800'000'000'000)};

Wish fresh(std::int64_t id, std::int64_t owner = 0) {
  return {id, owner == 0 ? id : owner, "stream.example", "set " + std::to_string(id), {}};
}
Wish held(std::int64_t id, Time not_before, Time due, Time not_after) {
  Wish wish = fresh(id);
  wish.holding = Holding{not_before, not_after, due, false, 0, true};
  return wish;
}

std::vector<std::int64_t> ids(Plan const& plan) {
  std::vector<std::int64_t> out;
  for (Start const& one : plan.start) {
    out.push_back(one.id);
  }
  return out;
}

TEST(Planner, StartsWhatHasNoCertificateAndWaitsForWhatIsNotDue) {
  Planner planner({}, {LimitSettings{}});
  planner.want(fresh(1), start);
  planner.want(held(2, start - hours(24), start + hours(2), start + hours(48)), start);
  Plan const now = planner.plan(start);
  EXPECT_THAT(ids(now), ElementsAre(1));
  EXPECT_EQ(now.wake, start + hours(2));
  EXPECT_THAT(ids(planner.plan(start)), IsEmpty()) << "it is in flight";
  planner.ended(1, 0, {}, start);
  planner.want(held(1, start, start + hours(50), start + hours(72)), start);
  EXPECT_THAT(ids(planner.plan(start + hours(2))), ElementsAre(2));
}

TEST(Planner, ManySubjectsOfOneOwnerOfWhichOneCannotBeOrdered) {
  PlannerSettings settings;
  settings.orders_max = 2;
  LimitSettings limits;
  limits.orders = {3, hours(1)};
  Planner planner(settings, {limits});
  for (std::int64_t id = 1; id <= 4; ++id) {
    planner.want(fresh(id, 7), start);
  }
  ASSERT_THAT(ids(planner.plan(start)), ElementsAre(1, 2));
  planner.ended(1, 0, {FailureClass::deferred, start + minutes(10)}, start);
  auto const place = [&planner](std::int64_t id) {
    planner.placed(id, 0, start);
    planner.ended(id, 0, {}, start);
  };
  place(2);
  planner.want(held(2, start, start + hours(50), start + hours(72)), start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(3, 4)) << "the order that was not placed took none of the three";
  place(3);
  place(4);
  planner.drop(3);
  planner.drop(4);
  EXPECT_THAT(ids(planner.plan(start + minutes(9))), IsEmpty());
  planner.retry(1, start + minutes(9));
  EXPECT_EQ(planner.next_attempt(1, start + minutes(9)), start + minutes(20)) << "three were ordered in this hour";
  EXPECT_THAT(ids(planner.plan(start + minutes(20))), ElementsAre(1));
}

TEST(Planner, WhatPeopleOrderStartsAtOnceAndWhatIsRecalledIsSpread) {
  Planner planner({}, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 4; ++id) {
    Wish wish = held(id, start - hours(24), start + hours(20), start + hours(48));
    (id <= 2 ? wish.holding->ordered : wish.holding->recalled) = true;
    planner.want(wish, start);
  }
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(planner.plan(start + hours(1))), IsEmpty());
  EXPECT_THAT(ids(planner.plan(start + hours(3))), ElementsAre(4)) << "evenly over six hours";
}

TEST(Planner, AnOrderThatWasNotPlacedLetsTheNextOneIn) {
  LimitSettings limits;
  limits.orders = {1, hours(1)};
  Planner planner({}, {limits});
  planner.want(fresh(1), start);
  planner.want(fresh(2), start);
  ASSERT_THAT(ids(planner.plan(start)), ElementsAre(1));
  planner.ended(1, 0, {FailureClass::deferred, start + minutes(10)}, start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(2));
}

// A newcomer whose CA is away for a quarter of an hour gets his certificate when it is back, and not a day later.
TEST(Planner, AttemptsThatPlaceNoOrderTakeNothingOfTheLimits) {
  Planner planner({}, {lets_encrypt_limits()});
  planner.want(fresh(1), start);
  Time now = start;
  for (int i = 0; i < 6; ++i) {
    ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1)) << i;
    planner.ended(1, 0, {FailureClass::transient, {}}, now + seconds(30));
    now = std::max(planner.next_attempt(1, now + seconds(30)), now + seconds(30));
    ASSERT_LE(now, start + hours(3)) << i;
  }
  EXPECT_THAT(planner.limits(0).take_changes(), IsEmpty());
  ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1));
  planner.placed(1, 0, now);
  EXPECT_THAT(planner.limits(0).take_changes(), SizeIs(3)) << "account, domain and set";
}

// A site lags: the one order is gone on with every minute, and counted when it was placed.
TEST(Planner, AKeptOrderIsGoneOnWithWhateverTheLimitsSay) {
  LimitSettings limits = lets_encrypt_limits();
  limits.set = {1, hours(34)};
  limits.domain = {1, hours(4)};
  Planner planner({}, {limits});
  planner.want(fresh(1), start);
  for (int i = 0; i < 6; ++i) {
    Time const now = start + minutes(i);
    ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1)) << i;
    if (i == 0) {
      planner.placed(1, 0, now);
    }
    planner.ended(1, 0, {FailureClass::deferred, {}, i == 3 ? std::nullopt : std::optional(true)}, now);
    EXPECT_THAT(planner.why(1, now + minutes(1)), IsEmpty()) << i;
  }
  planner.want(fresh(2), start);
  EXPECT_EQ(planner.next_attempt(2, start + minutes(6)), start + hours(4)) << "the domain gave one, not seven";
  // Once the CA keeps it no longer, the next one is an order like others.
  ASSERT_THAT(ids(planner.plan(start + minutes(6))), ElementsAre(1));
  planner.ended(1, 0, {FailureClass::transient, {}, false}, start + minutes(6));
  EXPECT_EQ(planner.next_attempt(1, start + minutes(6)), start + hours(34));
}

TEST(Planner, NoOwnerHasMoreThanTwoInFlightButForWhatPeopleOrder) {
  Planner planner({}, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 10; ++id) {
    planner.want(fresh(id, 7), start);
  }
  for (std::int64_t id = 21; id <= 30; ++id) {
    planner.want(fresh(id, 8), start);
  }
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(1, 21, 2, 22)) << "four places are left for others";
  EXPECT_EQ(planner.ready(), 16U);
  planner.want(fresh(100, 9), start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(100));
  ASSERT_THAT(planner.why(5, start), SizeIs(1));
  EXPECT_EQ(planner.why(5, start)[0].what, "two of its tenant's are in flight");
  Wish ordered = held(50, start - hours(24), start + hours(20), start + hours(48));
  ordered.owner = 7;
  ordered.holding->ordered = true;
  planner.want(ordered, start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(50));
  planner.ended(50, 0, {}, start);
  planner.drop(50);
  // Each that ends lets the next one of its owner in, also when that is parked, held or gone meanwhile.
  planner.park(3, {std::nullopt, 1, start + hours(1)}, start);
  planner.drop(4);
  planner.ended(1, 0, {FailureClass::deferred, start + hours(2)}, start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(5));
  planner.ended(2, 0, {FailureClass::deferred, start + hours(2)}, start);
  planner.ended(5, 0, {FailureClass::deferred, start + hours(2)}, start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(6, 7));
  EXPECT_THAT(ids(planner.plan(start + hours(1))), IsEmpty());
  EXPECT_EQ(planner.ready(), 12U) << "8 of the other owner, 3, 8, 9 and 10";
}

TEST(Planner, WhatIsBehindIsNotForgottenWhenTheFirstOfItIsHeldBack) {
  LimitSettings limits;
  limits.set = {1, hours(5)};
  Planner planner({}, {limits});
  for (std::int64_t id = 1; id <= 4; ++id) {
    planner.want(fresh(id, 7), start);
  }
  planner.limits(0).refused({"stream.example", "set 3", false, false}, start + hours(9), start);
  ASSERT_THAT(ids(planner.plan(start)), ElementsAre(1, 2));
  planner.placed(1, 0, start);
  planner.ended(1, 0, {}, start);
  planner.drop(1);
  planner.ended(2, 0, {FailureClass::deferred, start + hours(2)}, start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(4));
}

TEST(Planner, WhoGivesNoAnswerIsLookedAtLessAndLessOften) {
  Planner planner({}, {LimitSettings{}});
  planner.want(fresh(1), start);
  std::vector<std::int64_t> pauses;
  Time now = start;
  Ending const unseen{FailureClass::deferred, {}, std::nullopt, true};
  for (int i = 0; i < 8; ++i) {
    ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1));
    auto const parked = planner.ended(1, 0, unseen, now);
    EXPECT_EQ(parked->failures, 0U) << "nothing is held against it";
    pauses.push_back((parked->until - now) / minutes(1));
    now = parked->until;
  }
  EXPECT_THAT(pauses, ElementsAre(1, 2, 4, 8, 16, 32, 32, 32));
  ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1));
  planner.ended(1, 0, {FailureClass::deferred, {}}, now);
  EXPECT_EQ(planner.next_attempt(1, now), now + minutes(1)) << "it answers again";
  planner.retry(1, now);
  ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1));
  planner.ended(1, 0, unseen, now);
  EXPECT_EQ(planner.next_attempt(1, now), now + minutes(1));
}

// Where one CA alone sees no proof, the next one is asked in the end; a single CA keeps its ladder.
TEST(Planner, AfterThreeFailedValidationsTheNextAuthorityIsAskedAndTheFirstOnItsLadder) {
  Planner planner({}, {LimitSettings{}, LimitSettings{}});
  planner.want(fresh(1), start);
  Time now = start;
  auto const fails_at = [&](std::size_t authority) {
    Plan const plan = planner.plan(now);
    ASSERT_THAT(ids(plan), ElementsAre(1));
    ASSERT_EQ(plan.start[0].authority, authority);
    auto const parked = planner.ended(1, authority, {FailureClass::validation, {}}, now);
    now = std::max(parked->until, now);
  };
  fails_at(0);
  EXPECT_EQ(now, start + minutes(1));
  fails_at(0);
  EXPECT_EQ(now, start + minutes(11));
  Time const third = now;
  fails_at(0);
  EXPECT_EQ(now, third + minutes(100)) << "the first authority rests for this name";
  now = third;  // and the second one is asked at once
  fails_at(1);
  EXPECT_EQ(now, third + minutes(1));
  fails_at(1);
  Time const sixth = now;
  fails_at(1);
  EXPECT_EQ(now, sixth + minutes(100));
  now = third + minutes(100);
  fails_at(0);
  EXPECT_EQ(now, third + minutes(100) + hours(24)) << "once left, it is tried once a day";
  planner.retry(1, now);
  EXPECT_EQ(planner.plan(now).start[0].authority, 0U);
  planner.ended(1, 0, {}, now);
}

TEST(Planner, ASingleAuthorityKeepsItsLadderOfFailedValidations) {
  Planner planner({}, {LimitSettings{}});
  planner.want(fresh(1), start);
  Time now = start;
  for (auto const pause : {minutes(1), minutes(10), minutes(100), minutes(1440)}) {
    ASSERT_THAT(ids(planner.plan(now)), ElementsAre(1));
    auto const parked = planner.ended(1, 0, {FailureClass::validation, {}}, now);
    EXPECT_EQ(parked->until, now + pause);
    EXPECT_FALSE(parked->authority);
    now = parked->until;
  }
}

TEST(Planner, NoMoreThanItsPlacesAndOwnersTakeTurns) {
  PlannerSettings settings;
  settings.orders_max = 3;
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 100; ++id) {
    planner.want(fresh(id, 7), start);
  }
  planner.want(fresh(1000, 8), start);
  planner.want(fresh(1001, 9), start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(1, 1000, 1001)) << "a hundred of one owner come after the others";
  EXPECT_EQ(planner.ready(), 99U);
}

TEST(Planner, NewTenantsComeFirstButRenewalsGetEveryFourthStart) {
  PlannerSettings settings;
  settings.orders_max = 8;
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 20; ++id) {
    planner.want(fresh(id), start);
  }
  planner.want(held(100, start - hours(60), start - hours(1), start + hours(30)), start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(1, 2, 3, 100, 4, 5, 6, 7));
}

TEST(Planner, WhatIsInItsLastTenthComesBeforeNewTenants) {
  PlannerSettings settings;
  settings.orders_max = 4;
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 20; ++id) {
    planner.want(fresh(id), start);
  }
  planner.want(held(101, start - hours(90), start - hours(9), start + hours(1)), start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(101, 1, 2, 3));
}

// An outage leaves many in their last tenth: they are no stampede, as long as nobody is left to his last hours by it.
TEST(Planner, ManyInTheirLastTenthKeepThePaceUntilItWouldLeaveOneTooLate) {
  Planner planner({}, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 20; ++id) {
    planner.want(held(id, start - hours(150), start - hours(48), start + hours(10)), start);
  }
  Plan const first = planner.plan(start);
  EXPECT_THAT(ids(first), ElementsAre(1));
  EXPECT_EQ(first.wake, start + std::chrono::minutes(4))
      << "an interval, less the minute that a late look makes up for";
  ASSERT_EQ(planner.why(2, start).size(), 1U);
  EXPECT_EQ(planner.why(2, start)[0].what, "pace");
  EXPECT_THAT(ids(planner.plan(start + std::chrono::minutes(5))), ElementsAre(2));
  // Nearer to their end than a fiftieth of their life: at once, those that are nearest first.
  for (std::int64_t id = 101; id <= 104; ++id) {
    planner.want(held(id, start - hours(157), start - hours(50), start + hours(3)), start + std::chrono::minutes(6));
  }
  EXPECT_THAT(ids(planner.plan(start + std::chrono::minutes(6))), ElementsAre(101, 102, 103, 104));
}

TEST(Planner, ACaThatIsAwayIsTriedByOneOrderAndTheNextCaTakesOver) {
  Planner planner({}, {LimitSettings{}, LimitSettings{}});
  for (std::int64_t id = 1; id <= 3; ++id) {
    Time const now = start + std::chrono::seconds(id);
    planner.want(fresh(id), now);
    for (Start const& one : planner.plan(now).start) {
      EXPECT_EQ(one.authority, one.id == id ? 0U : 1U) << "who failed there goes to the next";
      if (one.authority == 0) {
        auto const parked = planner.ended(one.id, 0, {FailureClass::transient, {}}, now);
        ASSERT_TRUE(parked);
        EXPECT_EQ(parked->authority, 0U);
      }
    }
  }
  EXPECT_TRUE(planner.breaker(0).open_until);
  planner.want(fresh(4), start + std::chrono::seconds(4));
  for (Start const& one : planner.plan(start + std::chrono::seconds(4)).start) {
    EXPECT_EQ(one.authority, 1U);
  }
}

TEST(Planner, OrdersThatFailTogetherAreOneFailureOfTheCa) {
  Planner planner({}, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 8; ++id) {
    planner.want(fresh(id), start);
  }
  std::vector<Start> const together = planner.plan(start).start;
  ASSERT_THAT(together, SizeIs(8));
  for (Start const& one : together) {
    planner.ended(one.id, 0, {FailureClass::transient, {}}, start + std::chrono::seconds(30 + one.id));
  }
  EXPECT_EQ(planner.breaker(0).failures, 1U);
  EXPECT_FALSE(planner.breaker(0).open_until);
}

TEST(Planner, WithoutAnyCaNobodyIsLookedAt) {
  Planner planner({}, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 50; ++id) {
    planner.want(fresh(id), start);
  }
  for (int wave = 0; wave < 3; ++wave) {
    std::vector<Start> const together = planner.plan(start + minutes(wave)).start;
    ASSERT_THAT(together, SizeIs(8)) << "wave " << wave;
    for (Start const& one : together) {
      planner.ended(one.id, 0, {FailureClass::transient, {}}, start + minutes(wave));
    }
  }
  Plan const none = planner.plan(start + minutes(2));
  EXPECT_THAT(none.start, IsEmpty());
  EXPECT_EQ(none.wake, start + minutes(3));
  EXPECT_THAT(planner.plan(start + minutes(3)).start.size(), 1U) << "one order tries it";
}

TEST(Planner, OrdersOfAFullDomainWaitOneAfterTheOther) {
  LimitSettings limits;
  limits.domain = {2, hours(2)};
  Planner planner({}, {limits});
  for (std::int64_t id = 1; id <= 5; ++id) {
    planner.want(fresh(id), start);
  }
  Plan const now = planner.plan(start);
  EXPECT_THAT(ids(now), ElementsAre(1, 2));
  EXPECT_EQ(now.wake, start + hours(1));
  EXPECT_EQ(planner.next_attempt(5, start), start + hours(3));
  auto const why = planner.why(5, start);
  ASSERT_EQ(why.size(), 1U);
  EXPECT_EQ(why[0].what, "limit: domain");
}

TEST(Planner, ARefusalParksAndASuccessForgets) {
  Planner planner({}, {LimitSettings{}});
  planner.want(fresh(1), start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(1));
  auto const parked = planner.ended(1, 0, {FailureClass::validation, {}}, start);
  ASSERT_TRUE(parked);
  EXPECT_FALSE(parked->authority) << "no other CA would see the proof either";
  EXPECT_EQ(parked->until, start + minutes(1));
  EXPECT_THAT(planner.why(1, start)[0].what, HasSubstr("parked after 1 failure"));
  EXPECT_THAT(planner.plan(start).start, IsEmpty());
  planner.retry(1, start);
  EXPECT_THAT(ids(planner.plan(start)), ElementsAre(1));
  planner.ended(1, 0, {FailureClass::not_before, start + hours(5)}, start);
  EXPECT_EQ(planner.next_attempt(1, start), start + hours(5));
  planner.drop(1);
  EXPECT_EQ(planner.plan(start + hours(6)).wake, std::nullopt);
}

TEST(Planner, OverdueRenewalsFollowThePaceAndNotTheBacklog) {
  PlannerSettings settings;
  settings.orders_max = 1000;
  settings.slowest_pace = hours(24);
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 600; ++id) {  // one a minute in the mean, all overdue after an outage
    planner.want(held(id, start - hours(11), start - hours(1), start + hours(40)), start);
  }
  std::size_t hour = 0;
  for (Time now = start; now < start + hours(1); now += seconds(30)) {
    hour += planner.plan(now).start.size();
  }
  EXPECT_GE(hour, 70U);
  EXPECT_LE(hour, 80U) << "5/4 of sixty, and what a minute's burst gives";
}

TEST(Planner, WhatIsRecalledIsReplacedOverHoursAndNotAtOnce) {
  PlannerSettings settings;
  settings.orders_max = 1000;
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 600; ++id) {
    Wish wish = held(id, start - hours(24), start + hours(1000), start + hours(2000));
    wish.holding->recalled = true;
    planner.want(wish, start);
  }
  std::size_t count = 0;
  std::size_t most = 0;
  for (Time now = start; now < start + hours(6) + minutes(1); now += minutes(1)) {
    std::size_t const at_once = planner.plan(now).start.size();
    count += at_once;
    most = std::max(most, at_once);
  }
  EXPECT_EQ(count, 600U);
  EXPECT_LE(most, 4U);
}

}  // namespace
}  // namespace acme
