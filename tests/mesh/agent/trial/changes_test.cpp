#include "mesh/agent/trial/changes.hpp"

#include "tests/mesh/agent/trial/node.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace agent {
namespace {

using namespace trial_tests;

TEST(Changes, AWorldThatLeavesThisNodeAsItIsStartsNoTrial) {
  Node node;
  EXPECT_EQ(node.offer(2, "a"), Taken::at_once);
  EXPECT_EQ(node.changes.in_use(), 2);
  EXPECT_FALSE(node.changes.trial());
}

TEST(Changes, AChangeIsHeldWhenEverybodyIsSeenAgain) {
  Node node;
  EXPECT_EQ(node.offer(2, "b"), Taken::on_trial);
  EXPECT_EQ(node.changes.good(), 1);
  EXPECT_EQ(node.wait(6, everybody), Step::none) << "they may only not be missed yet";
  EXPECT_EQ(node.wait(2, everybody), Step::held);
  EXPECT_EQ(node.changes.in_use(), 2);
  EXPECT_EQ(node.changes.good(), -1);
}

TEST(Changes, AChangeThatLeavesEverybodyForNobodyIsTakenBackAndNotTriedAtOnce) {
  Node node;
  Offer moved = world(2, "b");
  moved.neighbors = {"dan"};
  EXPECT_EQ(node.changes.offer(moved, everybody, node.at()), Taken::on_trial);
  EXPECT_EQ(node.wait(29, everybody), Step::none) << "over the links that are about to go";
  EXPECT_EQ(node.wait(1, everybody), Step::failed);
  EXPECT_EQ(node.changes.in_use(), 1);
  EXPECT_EQ(node.changes.taken_back()->missing, everybody.neighbors);
  EXPECT_EQ(node.wait(29, everybody), Step::none) << "it was the cause";
}

TEST(Changes, ATrialGoesOnWithoutAKeyThatWasRemovedMeanwhile) {
  Node node;
  node.offer(2, "b");
  node.look(everybody);
  auto const until = node.changes.trial()->until;
  Offer without = world(2, "b without bob");
  without.neighbors = {"cat"};
  node.changes.strike(without);
  ASSERT_TRUE(node.changes.trial()) << "nobody has judged it";
  EXPECT_EQ(node.changes.trial()->until, until);
  EXPECT_EQ(node.changes.good(), 1);
  EXPECT_EQ(node.changes.to_remember()->offer.mark, "b without bob");
  EXPECT_EQ(node.wait(6, without_bob), Step::none);
  EXPECT_EQ(node.wait(2, without_bob), Step::held) << "bob is missed no longer";
}

TEST(Changes, WhoeverWasRemovedIsNotMissed) {
  Node node;
  Offer removal = world(2, "b", true);
  removal.neighbors = {"dan"};
  removal.gone = everybody.neighbors;
  EXPECT_EQ(node.changes.offer(removal, everybody, node.at()), Taken::on_trial);
  EXPECT_EQ(node.wait(8, {{}, true}), Step::held);
}

TEST(Changes, AWorldThatChangesNothingHereNeitherEndsNorProlongsATrial) {
  Node node;
  node.offer(2, "b");
  node.look(without_bob);
  auto const until = node.changes.trial()->until;
  for (std::int64_t revision = 3; revision < 33; ++revision) {
    EXPECT_EQ(node.look(without_bob), Step::none);
    EXPECT_EQ(node.offer(revision, "b", without_bob), Taken::at_once);
    EXPECT_EQ(node.changes.trial()->until, until);
    ++node.now_s;
  }
  EXPECT_EQ(node.look(without_bob), Step::failed);
  EXPECT_EQ(node.changes.in_use(), 1) << "to what ran before the first that was not held";
  EXPECT_EQ(node.changes.taken_back()->offer.revision, 32);
}

TEST(Changes, ANewerChangeSupersedesATrialAndGoesBackToWhereThatWouldHave) {
  Node node;
  node.offer(2, "b");
  node.now_s += 5;
  EXPECT_EQ(node.offer(3, "c", without_bob), Taken::on_trial);
  EXPECT_EQ(node.changes.good(), 1);
  EXPECT_TRUE(node.changes.trial()->neighbors.contains("bob")) << "what the one before cost is still missed";
  EXPECT_EQ(node.wait(29, without_bob), Step::none);
  EXPECT_EQ(node.wait(1, without_bob), Step::failed);
  EXPECT_EQ(node.changes.in_use(), 1);
}

TEST(Changes, TheWorldBeforeSaidAgainEndsTheTrialAtOnce) {
  Node node;
  node.offer(2, "b");
  EXPECT_EQ(node.offer(3, "a", nobody), Taken::at_once);
  EXPECT_EQ(node.changes.in_use(), 3);
  EXPECT_FALSE(node.changes.trial());
  EXPECT_FALSE(node.changes.taken_back());
}

TEST(Changes, ChangesInQuickSuccessionDoNotKeepATrialFromEnding) {
  Node node;
  std::int64_t revision = 2;
  Step step = Step::none;
  auto const began = node.now_s;
  while (step == Step::none) {
    auto const taken = node.offer(revision, "mark of " + std::to_string(revision));
    EXPECT_EQ(taken == Taken::later, node.now_s - began >= 60) << node.now_s - began;
    ++revision;
    node.now_s += 3;
    step = node.look(everybody);
  }
  EXPECT_EQ(step, Step::held);
  EXPECT_LE(node.now_s - began, 70);
  EXPECT_EQ(node.changes.waiting(), revision - 1);
  EXPECT_EQ(node.look(everybody), Step::other) << "now it is the turn of the one that waited";
  EXPECT_EQ(node.changes.in_use(), revision - 1);
}

TEST(Changes, AWorldThatTakesAKeyAwayNeverWaits) {
  Node node;
  for (std::int64_t revision = 2; revision < 16; ++revision) {
    node.offer(revision, "mark of " + std::to_string(revision));
    node.now_s += 5;
  }
  EXPECT_EQ(node.offer(16, "f"), Taken::later);
  EXPECT_EQ(node.offer(17, "g", everybody, true), Taken::on_trial);
  EXPECT_EQ(node.changes.waiting(), -1);
}

TEST(Changes, WhatWasTakenBackIsTriedAgainEverMoreRarelyAndAtWholeMinutes) {
  Node node;
  node.offer(2, "b");
  ASSERT_EQ(node.wait(40, without_bob), Step::failed);
  for (auto const minutes : {1, 2, 4, 8, 16, 32, 64, 64}) {
    ASSERT_TRUE(node.changes.taken_back());
    EXPECT_EQ(node.changes.in_use(), 1);
    ++node.now_s;
    ASSERT_EQ(node.wait(minutes * 120 * 60, everybody), Step::other);
    EXPECT_EQ(node.now_s % (minutes * 60), 0);
    EXPECT_EQ(node.changes.in_use(), 2);
    ++node.now_s;
    ASSERT_EQ(node.wait(40, without_bob), Step::failed);
  }
  EXPECT_EQ(node.changes.taken_back()->tries, 9U);
}

TEST(Changes, WhatWasNotTheCauseIsTakenAfterAll) {
  Node node;
  node.offer(2, "b");
  ASSERT_EQ(node.wait(40, without_bob), Step::failed);
  EXPECT_EQ(node.wait(29, without_bob), Step::none);
  EXPECT_EQ(node.wait(1, without_bob), Step::other) << "bob is not back either";
  EXPECT_EQ(node.changes.in_use(), 2);
  EXPECT_EQ(node.wait(10, without_bob), Step::held);
  EXPECT_FALSE(node.changes.taken_back());
}

TEST(Changes, ANewerWorldWithTheSameChangeIsTriedAtTheNextMinuteWhenAnOperatorMadeIt) {
  Node node;
  node.offer(2, "b");
  node.wait(40, without_bob);
  for (int i = 0; i < 3; ++i) {
    ++node.now_s;
    node.wait(3600, everybody);
    ++node.now_s;
    node.wait(40, without_bob);
  }
  auto const next = node.changes.taken_back()->next;
  EXPECT_EQ(node.offer(3, "b"), Taken::later);
  EXPECT_EQ(node.changes.taken_back()->next, next) << "what no operator did ends no pause";
  EXPECT_EQ(node.changes.taken_back()->offer.revision, 3);
  auto by_operator = world(4, "b");
  by_operator.by_operator = true;
  EXPECT_EQ(node.changes.offer(by_operator, everybody, node.at()), Taken::later);
  EXPECT_LE(node.changes.taken_back()->next, node.at().now + 65s);
  EXPECT_LT(node.changes.taken_back()->next, next);
  ++node.now_s;
  ASSERT_EQ(node.wait(70, everybody), Step::other);
  EXPECT_EQ(node.changes.in_use(), 4);
  EXPECT_EQ(node.wait(10, everybody), Step::held);
}

TEST(Changes, AnotherChangeIsTakenAtOnceAndWhatWasTakenBackIsForgotten) {
  Node node;
  node.offer(2, "b");
  node.wait(40, without_bob);
  EXPECT_EQ(node.offer(3, "c"), Taken::on_trial);
  EXPECT_FALSE(node.changes.taken_back());
  EXPECT_EQ(node.wait(10, everybody), Step::held);
  EXPECT_EQ(node.changes.in_use(), 3);
}

TEST(Changes, TheControllerIsMissedToo) {
  Node node;
  node.offer(2, "b");
  Seen const cut_off{{"bob", "cat"}, false};
  ASSERT_EQ(node.wait(40, cut_off), Step::failed);
  EXPECT_EQ(missing(*node.changes.taken_back()), "the controller");
}

TEST(Changes, WhatCutTheControllerOffIsNeverHeldWithoutItsAnswer) {
  Node node;
  node.offer(2, "b");
  Seen const cut_off{{"bob", "cat"}, false};
  ASSERT_EQ(node.wait(40, cut_off), Step::failed);
  for (int tries = 2; tries < 5; ++tries) {
    ++node.now_s;
    ASSERT_EQ(node.wait(3600, everybody), Step::other);
    EXPECT_EQ(node.now_s % 60, 0);
    ++node.now_s;
    ASSERT_EQ(node.wait(40, cut_off), Step::failed);
    EXPECT_EQ(missing(*node.changes.taken_back()), "the controller");
  }
  ++node.now_s;
  ASSERT_EQ(node.wait(3600, everybody), Step::other);
  EXPECT_EQ(node.wait(10, everybody), Step::held);
}

// It died in the moment in which it handed a change out: no try proves anything.
TEST(Changes, NothingIsTriedWhileTheControllerIsSilentWithoutItToo) {
  Node node;
  node.offer(2, "b");
  Seen const silent{{"bob", "cat"}, false};
  ASSERT_EQ(node.wait(40, silent), Step::failed);
  ++node.now_s;
  EXPECT_EQ(node.wait(3600, silent), Step::none);
  ASSERT_EQ(node.wait(70, everybody), Step::other) << "it is back";
  EXPECT_EQ(node.now_s % 60, 0) << "together with the other end of a link";
  EXPECT_EQ(node.wait(10, everybody), Step::held);
}

// It may have moved with the change, and be reached by that alone.
TEST(Changes, AfterTheLongestPauseThereIsATryWithoutTheController) {
  Node node;
  node.offer(2, "b");
  Seen const silent{{"bob", "cat"}, false};
  ASSERT_EQ(node.wait(40, silent), Step::failed);
  auto const since_s = node.now_s;
  ++node.now_s;
  ASSERT_EQ(node.wait(2 * 3600, silent), Step::other);
  EXPECT_GE(node.now_s - since_s, 64 * 60);
  EXPECT_LE(node.now_s - since_s, 66 * 60);
}

// What it said of before, or over the routes of before, is no answer.
TEST(Changes, OnlyAnAnswerOfTheControllersWhenAllElseIsSeenCounts) {
  Node node;
  node.offer(2, "b");
  EXPECT_EQ(node.wait(5, everybody), Step::none) << "and it answers";
  EXPECT_FALSE(node.changes.asks_controller(everybody, node.at().now)) << "it is too early to ask";
  Seen const cut_off{{"bob", "cat"}, false};
  ASSERT_EQ(node.wait(40, cut_off), Step::failed);
  EXPECT_EQ(missing(*node.changes.taken_back()), "the controller");

  Node later;
  later.offer(2, "b");
  EXPECT_EQ(later.wait(10, without_bob), Step::none);
  EXPECT_FALSE(later.changes.asks_controller(without_bob, later.at().now)) << "not before bob is back";
  ASSERT_EQ(later.wait(40, cut_off), Step::failed);
  EXPECT_EQ(missing(*later.changes.taken_back()), "the controller");
}

// Three devices that take five seconds each, and BIRD only after them.
TEST(Changes, TheTimeIsCountedFromWhenTheMachineWasChanged) {
  Node node;
  node.offer(2, "b");
  node.makeable = false;
  EXPECT_EQ(node.wait(14, everybody), Step::none);
  node.makeable = true;
  EXPECT_EQ(node.wait(6, everybody), Step::none) << "a neighbour may only not be missed yet";
  EXPECT_EQ(node.wait(22, without_bob), Step::none);
  EXPECT_EQ(node.wait(1, without_bob), Step::failed);
  EXPECT_EQ(missing(*node.changes.taken_back()), "bob");
}

TEST(Changes, WhatCannotBeMadeHereIsNeverHeld) {
  Node node;
  node.makeable = false;
  node.offer(2, "b");
  EXPECT_EQ(node.wait(29, everybody), Step::none);
  ASSERT_EQ(node.wait(1, everybody), Step::failed);
  EXPECT_EQ(node.changes.in_use(), 1);
  EXPECT_EQ(missing(*node.changes.taken_back()), "a working plan: it could not be applied here");
  ++node.now_s;
  ASSERT_EQ(node.wait(60, everybody), Step::other) << "at its time";
  node.makeable = true;
  EXPECT_EQ(node.wait(10, everybody), Step::held);
}

TEST(Changes, EachTrialHasANumberOfItsOwnAndASameWorldHasNone) {
  Node node;
  node.offer(2, "b");
  auto const first = node.changes.trial()->number;
  EXPECT_GT(first, 0U);
  node.offer(3, "b");
  EXPECT_EQ(node.changes.trial()->number, first);
  node.offer(4, "c");
  EXPECT_GT(node.changes.trial()->number, first);
}

TEST(Changes, AKeyThatIsTakenAwayDoesNotWaitForTheNextTry) {
  Node node;
  node.offer(2, "b");
  ASSERT_EQ(node.wait(40, without_bob), Step::failed);
  EXPECT_EQ(node.offer(3, "b", everybody, true), Taken::on_trial);
  EXPECT_EQ(node.changes.in_use(), 3);
}

TEST(Changes, WhatWaitedWhileTheTrialFailedIsTriedFromWhatItWentBackTo) {
  Node node;
  for (std::int64_t revision = 2; node.changes.waiting() < 0; ++revision) {
    node.offer(revision, "mark of " + std::to_string(revision));
    node.now_s += 5;
  }
  auto const waits = node.changes.waiting();
  ASSERT_EQ(node.wait(40, nobody), Step::failed);
  EXPECT_EQ(node.changes.in_use(), 1);
  EXPECT_EQ(node.look(everybody), Step::other);
  EXPECT_EQ(node.changes.in_use(), waits);
  EXPECT_EQ(node.changes.good(), 1);
}

TEST(Changes, SlotsAreMultiplesOnTheWallClock) {
  EXPECT_EQ(until_slot(600, 60s), 60s);
  EXPECT_EQ(until_slot(601, 60s), 59s);
  EXPECT_EQ(until_slot(656, 60s), 64s) << "not in a hurry";
}

// Every order of these events up to a length; what must hold in each of them.
enum class Event { same, good, other, bad, keys, own_key, look, look_lost, look_alone, pause };
constexpr int events = 10;

void apply(Node& node, Event event, std::int64_t& revision, std::string& newest) {
  auto const offer = [&](std::string const& mark, bool urgent) {
    newest = mark;
    node.offer(++revision, mark, everybody, urgent);
  };
  switch (event) {
    case Event::same:
      return offer(newest, false);
    case Event::good:
      return offer("a", false);
    case Event::other:
      return offer("mark of " + std::to_string(revision), false);
    case Event::bad:
      return offer("bad", false);
    case Event::keys:
      return offer("keys of " + std::to_string(revision), true);
    case Event::own_key:
      newest = "own";
      return node.changes.use(world(++revision, "own"));
    case Event::look:
      node.now_s += 8;
      node.look(everybody);
      return;
    case Event::look_lost:
      node.now_s += 31;
      node.look(without_bob);
      return;
    case Event::look_alone:
      node.now_s += 31;
      node.look(nobody);
      return;
    case Event::pause:
      node.now_s += 61;
      return;
  }
}

// Whatever happened before: when all is well again, the newest world is in use after a time, and stays.
void expect_to_end_well(Node node, std::int64_t newest, std::vector<int> const& order) {
  for (auto const until = node.now_s + 2 * 64 * 60 + 100; node.now_s < until; node.now_s += 5) {
    node.look(everybody);
    if (node.changes.in_use() == newest && !node.changes.trial()) {
      return;
    }
  }
  ADD_FAILURE() << "revision " << node.changes.in_use() << " instead of " << newest << " after "
                << testing::PrintToString(order);
}

TEST(Changes, InEveryOrderATrialEndsAndTheNewestWorldIsUsedInTheEnd) {
  std::size_t orders = 0;
  std::vector<int> order;
  std::function<void(Node, std::int64_t, std::string)> const go = [&](Node node, std::int64_t revision,
                                                                      std::string newest) {
    ++orders;
    auto const& changes = node.changes;
    EXPECT_TRUE(changes.needs(changes.in_use()));
    EXPECT_EQ(changes.trial().has_value(), changes.good() >= 0);
    EXPECT_LT(changes.good(), changes.in_use());
    EXPECT_TRUE(changes.waiting() < 0 || changes.waiting() > changes.in_use());
    EXPECT_TRUE(changes.waiting() < 0 || changes.waiting() == revision);
    EXPECT_FALSE(changes.trial() && changes.trial()->revision != changes.in_use());
    expect_to_end_well(node, revision, order);
    if (order.size() == 4 || testing::Test::HasFailure()) {
      return;
    }
    for (int event = 0; event < events; ++event) {
      Node next = node;
      auto next_revision = revision;
      auto next_newest = newest;
      order.push_back(event);
      apply(next, static_cast<Event>(event), next_revision, next_newest);
      go(std::move(next), next_revision, std::move(next_newest));
      order.pop_back();
    }
  };
  go(Node(), 1, "a");
  EXPECT_GT(orders, 10000U);
}

// What waits may be what runs already; when it turns out that keys of it were removed, the agent stays with what it
// has, and so does this: otherwise the next trial would go back to a world that the node never used.
TEST(Changes, WhatIsOfNoUseLeavesWhatWasInUse) {
  Node node;
  node.offer(2, "b");
  node.now_s += 61;
  node.now_s -= 31;  // the trial ends at 30 s; the chain is as old as that
  ASSERT_EQ(node.offer(3, "c"), Taken::on_trial);
  node.now_s += 31;
  ASSERT_EQ(node.offer(4, "a"), Taken::later) << "the chain is too old to be superseded";
  ASSERT_EQ(node.look(without_bob), Step::failed);
  ASSERT_EQ(node.changes.in_use(), 1);
  ASSERT_EQ(node.look(everybody), Step::other) << "it is as what runs: no trial";
  ASSERT_EQ(node.changes.in_use(), 4);
  ASSERT_FALSE(node.changes.trial());
  node.changes.abandon();
  EXPECT_EQ(node.changes.in_use(), 1);
  node.offer(5, "d");
  EXPECT_EQ(node.changes.good(), 1) << "there is a way back";
}

TEST(Changes, WhatIsOfNoUseIsNotTriedAgain) {
  Node node;
  node.offer(2, "b");
  ASSERT_EQ(node.wait(40, without_bob), Step::failed);
  ASSERT_EQ(node.wait(120, everybody), Step::other);
  ASSERT_TRUE(node.changes.trial());
  node.changes.abandon();
  EXPECT_EQ(node.changes.in_use(), 1);
  EXPECT_FALSE(node.changes.trial());
  EXPECT_FALSE(node.changes.taken_back());
  EXPECT_EQ(node.wait(10000, everybody), Step::none);
}

}  // namespace
}  // namespace agent
