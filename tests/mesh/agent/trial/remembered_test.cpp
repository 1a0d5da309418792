#include "mesh/agent/trial/remembered.hpp"

#include "tests/mesh/agent/trial/node.hpp"

#include <gtest/gtest.h>

namespace agent {
namespace {

using namespace trial_tests;

TEST(Remembered, WhatWasTakenBackIsNotTriedAtOnceByANewProcess) {
  Node before;
  before.offer(2, "b");
  ASSERT_EQ(before.wait(40, without_bob), Step::failed);
  auto const text = to_text(*before.changes.to_remember(), before.at());
  auto const pause_s =
      std::chrono::ceil<std::chrono::seconds>(before.changes.taken_back()->next - before.at().now).count();

  Node after;
  after.now_s = before.now_s + 3;
  auto const read = parse_taken_back(text, after.at());
  ASSERT_TRUE(read) << text;
  EXPECT_EQ(read->missing, std::set<std::string>{"bob"});
  EXPECT_EQ(read->tries, 1U);
  after.changes.remember(*read);
  EXPECT_FALSE(after.changes.taken_back()) << "nobody offers it";
  EXPECT_EQ(after.look(everybody), Step::none);
  EXPECT_EQ(after.offer(2, "b"), Taken::later);
  ASSERT_TRUE(after.changes.taken_back());
  EXPECT_EQ(after.wait(pause_s - 4, everybody), Step::none);
  EXPECT_EQ(after.wait(5, everybody), Step::other) << "at its time";
  ASSERT_EQ(after.wait(40, without_bob), Step::failed);
  EXPECT_EQ(after.changes.taken_back()->tries, 2U) << "and the pauses go on growing";
}

TEST(Remembered, AFirstTryThatNobodyJudgedCountsAsTakenBack) {
  Node before;
  EXPECT_EQ(before.offer(2, "b"), Taken::on_trial);
  before.offer(3, "b", without_bob);
  ASSERT_TRUE(before.changes.to_remember());
  auto const text = to_text(*before.changes.to_remember(), before.at());

  Node after;
  after.now_s = before.now_s + 3;
  auto const read = parse_taken_back(text, after.at());
  ASSERT_TRUE(read) << text;
  EXPECT_EQ(read->offer.revision, 3);
  EXPECT_EQ(read->tries, 1U);
  after.changes.remember(*read);
  EXPECT_EQ(after.offer(3, "b"), Taken::later);
  EXPECT_EQ(after.changes.in_use(), 1);
  EXPECT_EQ(after.wait(60, everybody), Step::other) << "at the next whole minute";
  EXPECT_EQ(after.wait(40, without_bob), Step::failed);
  EXPECT_EQ(after.changes.in_use(), 1);
}

TEST(Remembered, ATrialThatIsOverLeavesOnlyWhatItWasJudged) {
  Node held;
  held.offer(2, "b");
  ASSERT_EQ(held.wait(10, everybody), Step::held);
  EXPECT_FALSE(held.changes.to_remember());

  Node failed;
  failed.offer(2, "b");
  EXPECT_EQ(failed.changes.to_remember()->missing, (std::set<std::string>{"bob", "cat"}))
      << "nobody knows whom it costs";
  ASSERT_EQ(failed.wait(40, without_bob), Step::failed);
  EXPECT_EQ(failed.changes.to_remember()->missing, std::set<std::string>{"bob"});

  Node other;
  other.offer(2, "b");
  EXPECT_EQ(other.offer(3, "a"), Taken::at_once);
  EXPECT_FALSE(other.changes.to_remember());
}

TEST(Remembered, IsForgottenWhenAnotherChangeComesOrNoneIsLeft) {
  for (auto const* mark : {"c", "a"}) {
    Node node;
    TakenBack old;
    old.offer = world(2, "b");
    node.changes.remember(old);
    ASSERT_TRUE(node.changes.to_remember());
    node.offer(3, mark);
    auto const& kept = node.changes.to_remember();
    EXPECT_TRUE(!kept || kept->offer.mark == mark) << "no more than what is tried now";
    EXPECT_NE(node.offer(4, "b"), Taken::later) << mark;
  }
}

TEST(Remembered, ANewerRevisionOfItIsTriedAtTheNextWholeMinute) {
  Node node;
  TakenBack old;
  old.offer = world(2, "b");
  old.tries = 5;
  old.next = node.at().now + 3000s;
  old.since = node.at().now;
  node.changes.remember(old);
  EXPECT_EQ(node.offer(3, "b"), Taken::later);
  EXPECT_EQ(node.wait(61, everybody), Step::other);
}

TEST(Remembered, IsReadOnlyWhenItIsWhole) {
  Instant const at{Moment{} + 1000s, 1000};
  std::string const good =
      "revision 2\nmark b\ntries 3\nnext 1100\ndead 4\ncontroller\nunapplied\nneighbor n\nmissing m\n";
  auto const read = parse_taken_back(good, at);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->missing_controller);
  EXPECT_TRUE(read->unapplied);
  EXPECT_EQ(read->next - at.now, 100s);
  EXPECT_EQ(to_text(*read, at), good);
  for (auto const* bad :
       {"", "revision 2\n", "mark b\ntries 1\ndead 4\n", "revision x\nmark b\ntries 1\ndead 4\n",
        "revision 2\nmark b\ntries 0\nnext 1\ndead 4\n", "revision 2\nmark b\ntries 1\nfoo\ndead 4\n"}) {
    EXPECT_FALSE(parse_taken_back(bad, at)) << bad;
  }
  // A clock that was set: the pause is the shortest.
  auto const jumped = parse_taken_back("revision 2\nmark b\ntries 3\nnext 99999999\ndead 4\n", at);
  ASSERT_TRUE(jumped);
  EXPECT_LE(jumped->next - at.now, 65s);
}

}  // namespace
}  // namespace agent
