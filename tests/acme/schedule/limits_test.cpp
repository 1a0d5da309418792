#include "acme/schedule/limits.hpp"

#include <gtest/gtest.h>

namespace acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time start{std::chrono::milliseconds(1'800'000'000'000)};

LimitSettings lets_encrypt() {
  return {{300, hours(3)}, {50, hours(168)}, {5, hours(168)}, {5, hours(1)}};
}

Asking asking(std::string const& set, std::string const& domain = "stream.example") {
  return {domain, set, false, false};
}

TEST(Limits, ABucketGivesItsCountAtOnceAndThenOneEachStep) {
  Limits limits(lets_encrypt());
  for (int i = 0; i < 300; ++i) {
    Asking const one = asking("a" + std::to_string(i), "d" + std::to_string(i));
    ASSERT_FALSE(limits.hold(one, start)) << i;
    limits.spend(one, start);
  }
  auto const held = limits.hold(asking("next", "other"), start);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->scope, Scope::orders);
  EXPECT_EQ(held->until, start + std::chrono::seconds(36));
  EXPECT_FALSE(limits.hold(asking("next", "other"), held->until));
  EXPECT_EQ(limits.account_hold(start), held->until);
}

TEST(Limits, WhatMayBePlacedIsTakenUntilItIsReleasedAndIsNotRemembered) {
  Limits limits({{1, hours(1)}, {2, hours(1)}, {5, hours(1)}, {}});
  limits.reserve(asking("a"));
  EXPECT_EQ(limits.hold(asking("b"), start)->until, start + hours(1));
  EXPECT_EQ(limits.account_hold(start), start + hours(1));
  EXPECT_TRUE(limits.take_changes().empty());
  limits.release(asking("a"));
  EXPECT_FALSE(limits.hold(asking("b"), start));
  limits.release(asking("never reserved", "elsewhere.example"));
  limits.spend(asking("a"), start);
  EXPECT_EQ(limits.hold(asking("b"), start)->until, start + hours(1)) << "no more than it had";
}

TEST(Limits, AReleaseOpensNothingBeforeTheMomentThatTheCaNamed) {
  Limits limits({{}, {5, hours(1)}, {5, hours(1)}, {}});
  limits.reserve(asking("a"));
  limits.refused(asking("a"), start + hours(2), start);
  limits.release(asking("a"));
  EXPECT_EQ(limits.hold(asking("a"), start)->until, start + hours(2));
}

TEST(Limits, DomainAndSetCountApart) {
  Limits limits(lets_encrypt());
  for (int i = 0; i < 5; ++i) {
    limits.spend(asking("same"), start);
  }
  EXPECT_EQ(limits.hold(asking("same"), start)->scope, Scope::set);
  EXPECT_EQ(limits.hold(asking("same"), start)->until, start + minutes(2016));
  EXPECT_FALSE(limits.hold(asking("other"), start));
  for (int i = 0; i < 45; ++i) {
    limits.spend(asking("n" + std::to_string(i)), start);
  }
  EXPECT_EQ(limits.hold(asking("other"), start)->scope, Scope::domain);
  EXPECT_FALSE(limits.hold(asking("other", "another.example"), start));
}

TEST(Limits, RenewalsAreNotCountedAgainstAccountAndDomain) {
  Limits limits({{1, hours(1)}, {1, hours(1)}, {2, hours(1)}, {}});
  limits.spend(asking("a"), start);
  Asking renewal = asking("a");
  renewal.renewal = true;
  EXPECT_TRUE(limits.hold(asking("a"), start));
  EXPECT_FALSE(limits.hold(renewal, start));
  limits.spend(renewal, start);
  EXPECT_EQ(limits.hold(renewal, start)->scope, Scope::set);
  renewal.replaces = true;
  EXPECT_FALSE(limits.hold(renewal, start));
}

TEST(Limits, ARefusalClosesTheSetThenTheDomainThenTheAccount) {
  Limits limits({});  // no limit is known: the CA's answers alone
  limits.refused(asking("a"), start + hours(9), start);
  EXPECT_EQ(limits.hold(asking("a"), start)->until, start + hours(9));
  EXPECT_FALSE(limits.hold(asking("b"), start));
  limits.refused(asking("b"), start + hours(3), start + minutes(1));
  EXPECT_EQ(limits.hold(asking("c"), start + minutes(1))->until, start + hours(3));
  EXPECT_FALSE(limits.hold(asking("d", "other.example"), start + minutes(1)));
  limits.refused(asking("d", "other.example"), start + hours(2), start + minutes(2));
  auto const everybody = limits.hold(asking("e", "third.example"), start + minutes(2));
  ASSERT_TRUE(everybody);
  EXPECT_EQ(everybody->until, start + minutes(62)) << "a guess holds for an hour";
  EXPECT_FALSE(limits.hold(asking("e", "third.example"), start + minutes(63)));
}

TEST(Limits, ARefusalDrainsABucketThatWasThoughtFull) {
  Limits limits(lets_encrypt());
  limits.refused(asking("a"), start + hours(2), start);
  EXPECT_EQ(limits.hold(asking("a"), start)->until, start + hours(2));
  limits.spend(asking("a"), start + hours(2));
  EXPECT_EQ(limits.hold(asking("a"), start + hours(2))->until, start + hours(2) + minutes(2016))
      << "the CA gave one, not five";
}

TEST(Limits, FailedValidationsHoldTheNamesBack) {
  Limits limits(lets_encrypt());
  for (int i = 0; i < 5; ++i) {
    limits.validation_failed(asking("a"), start);
  }
  EXPECT_EQ(limits.hold(asking("a"), start)->scope, Scope::failures);
  EXPECT_EQ(limits.hold(asking("a"), start)->until, start + minutes(12));
}

TEST(Limits, LevelsSurviveARestart) {
  Limits before(lets_encrypt());
  for (int i = 0; i < 50; ++i) {
    before.spend(asking("n" + std::to_string(i)), start);
  }
  auto const levels = before.take_changes();
  EXPECT_EQ(levels.size(), 52U);  // the account, the domain, each set
  EXPECT_TRUE(before.take_changes().empty());
  Limits after(lets_encrypt());
  for (Level const& level : levels) {
    after.restore(level);
  }
  EXPECT_EQ(after.hold(asking("x"), start)->until, before.hold(asking("x"), start)->until);
  EXPECT_STREQ(name(levels[0].scope), "orders");
}

}  // namespace
}  // namespace acme
