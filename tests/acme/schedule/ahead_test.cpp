#include "acme/schedule/ahead.hpp"

#include "acme/schedule/planner.hpp"

#include <gtest/gtest.h>

namespace acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Time const start{hours(480000)};  // a whole number of four hours

TEST(Ahead, ACrowdBeginsAsLongBeforeItsEndAsItsStartsTake) {
  Ahead ahead;
  EXPECT_FALSE(ahead.begin(0, minutes(1)));
  EXPECT_FALSE(ahead.first());
  for (std::int64_t id = 1; id <= 60; ++id) {
    ahead.add(id, start + hours(100) + minutes(id));
  }
  EXPECT_EQ(ahead.begin(0, minutes(60)), start + hours(104) - hours(60));
  EXPECT_EQ(ahead.begin(10, minutes(60)), start + hours(104) - hours(70));
  EXPECT_EQ(ahead.first(), 1);
  EXPECT_EQ(ahead.first([](std::int64_t id) { return id > 3; }), 4);
  EXPECT_FALSE(ahead.first([](std::int64_t) { return false; }));
}

TEST(Ahead, TheTightestOfSeveralCrowdsCounts) {
  Ahead ahead;
  ahead.add(1, start + hours(8));
  for (std::int64_t id = 2; id <= 101; ++id) {
    ahead.add(id, start + hours(40));
  }
  EXPECT_EQ(ahead.begin(0, minutes(30)), start + hours(44) - minutes(30) * 101);
  for (std::int64_t id = 2; id <= 101; ++id) {
    ahead.remove(id, start + hours(40));
    ahead.remove(id, start + hours(40));  // twice is once
  }
  EXPECT_EQ(ahead.begin(0, minutes(30)), start + hours(12) - minutes(30));
}

Wish held(std::int64_t id) {
  Wish wish{id, id, "d" + std::to_string(id), std::to_string(id), {}};
  wish.holding = Holding{start, start + hours(90 * 24), start + hours(60 * 24), false, 0, true, false};
  return wish;
}

// Of 3,000 that were issued at one moment the first begins before they are due, but in no case before a quarter of
// their life; each start waits for its place.
TEST(Ahead, ThePlannerBeginsACrowdEarlyAtItsPace) {
  PlannerSettings settings;
  settings.slowest_pace = hours(24 * 30);
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 3000; ++id) {
    planner.want(held(id), start);
  }
  Plan const idle = planner.plan(start);
  EXPECT_TRUE(idle.start.empty());
  ASSERT_TRUE(idle.wake);
  EXPECT_GE(*idle.wake, start + hours(90 * 24) / 4);
  EXPECT_LT(*idle.wake, start + hours(35 * 24));
  Plan const first = planner.plan(*idle.wake);
  EXPECT_EQ(first.start.size(), 1U);
  ASSERT_TRUE(first.wake);
  // A late look makes up for at most a minute.
  double const pace_s = 60.0 * 86400 / 1.25 / 3000;
  EXPECT_NEAR(static_cast<double>((*first.wake - *idle.wake) / std::chrono::seconds(1)), pace_s - 60, 1);
  EXPECT_EQ(planner.plan(*first.wake).start.size(), 1U);
}

TEST(Ahead, AnOwnerWithAsManyInFlightAsOneMayHoldsUpNobodyElse) {
  PlannerSettings settings;
  settings.slowest_pace = hours(24 * 30);
  Planner planner(settings, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 3000; ++id) {
    Wish wish = held(id);
    wish.owner = id <= 500 ? 1 : id;
    planner.want(std::move(wish), start);
  }
  Time at = planner.plan(start).wake.value();
  std::size_t of_one = 0;
  std::size_t all = 0;
  for (int i = 0; i < 20 && all < settings.of_owner_max + 2; ++i) {
    Plan const plan = planner.plan(at);
    for (auto const& begun : plan.start) {
      ++all;
      of_one += begun.id <= 500 ? 1U : 0U;
    }
    ASSERT_TRUE(plan.wake);
    at = *plan.wake;
  }
  EXPECT_GE(all, settings.of_owner_max + 2);
  EXPECT_EQ(of_one, settings.of_owner_max);
}

TEST(Ahead, AFewAreLeftUntilTheyAreDue) {
  Planner planner({}, {LimitSettings{}});
  for (std::int64_t id = 1; id <= 20; ++id) {
    planner.want(held(id), start);
  }
  EXPECT_EQ(planner.plan(start).wake, start + hours(60 * 24));
  EXPECT_TRUE(planner.plan(start + hours(59 * 24)).start.empty());
}

}  // namespace
}  // namespace acme
