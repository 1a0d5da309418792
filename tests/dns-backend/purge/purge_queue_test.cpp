#include "dns-backend/purge/purge_queue.hpp"

#include "tests/dns-backend/remote/world.hpp"

#include <gmock/gmock.h>

namespace {

using namespace std::chrono_literals;
using purge::PurgeQueue;
using store::Touched;
using testing::HasSubstr;

PurgeQueue::Time const start{};
Touched touched(std::string const& text, bool subtree = false) { return {test::name(text), subtree}; }

TEST(PurgeWord, ExactSubtreeAndWildcard) {
  EXPECT_EQ(purge::purge_word(touched("www.example.org.")), "www.example.org.");
  EXPECT_EQ(purge::purge_word(touched("example.org.", true)), "example.org.$");
  EXPECT_EQ(purge::purge_word(touched("*.example.org.")), "example.org.$") << "its answers are cached under other names";
  EXPECT_EQ(purge::purge_word(touched("*.example.org.", true)), "example.org.$");
  EXPECT_EQ(purge::purge_word(touched(".", true)), ".$");
}

TEST(PurgeQueue, EveryNameIsPurgedAtOnceAndOnceMoreLater) {
  PurgeQueue queue(500ms);
  queue.add({touched("a.example.org."), touched("b.example.org.")}, start);
  EXPECT_EQ(queue.take(start)->command(), "PURGE a.example.org. b.example.org.\n");
  EXPECT_FALSE(queue.take(start + 499ms));
  EXPECT_EQ(queue.next_due(start), start + 500ms);
  EXPECT_EQ(queue.take(start + 500ms)->command(), "PURGE a.example.org. b.example.org.\n");
  EXPECT_FALSE(queue.take(start + 1h));
  EXPECT_FALSE(queue.next_due(start + 1h));
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(PurgeQueue, EqualNamesMerge) {
  PurgeQueue queue(500ms);
  queue.add({touched("a.example.org.")}, start);
  queue.add({touched("a.example.org.")}, start + 1ms);
  EXPECT_EQ(queue.take(start + 1ms)->command(), "PURGE a.example.org.\n");
  EXPECT_EQ(queue.take(start + 1s)->command(), "PURGE a.example.org.\n");
  EXPECT_FALSE(queue.take(start + 1s));
}

TEST(PurgeQueue, WhatFailedComesBackWithWhatIsNew) {
  PurgeQueue queue(500ms);
  queue.add({touched("a.example.org.")}, start);
  queue.failed(*queue.take(start));
  queue.add({touched("b.example.org.")}, start);
  EXPECT_EQ(queue.take(start)->command(), "PURGE a.example.org. b.example.org.\n");
}

TEST(PurgeQueue, AfterThreeFailuresEverythingIsPurged) {
  PurgeQueue queue(500ms);
  queue.add({touched("a.example.org.")}, start);
  for (int i = 0; i < 3; ++i) {
    auto batch = queue.take(start);
    ASSERT_TRUE(batch);
    queue.failed(std::move(*batch));
  }
  EXPECT_EQ(queue.take(start)->command(), "PURGE\n");
  queue.succeeded();
  queue.add({touched("b.example.org.")}, start + 1s);
  queue.failed(*queue.take(start + 1s));
  EXPECT_THAT(queue.take(start + 1s)->command(), HasSubstr("b.example.org."));
}

TEST(PurgeQueue, TooManyNamesBecomeOnePurgeOfEverything) {
  PurgeQueue queue(500ms);
  std::vector<Touched> names;
  for (std::size_t i = 0; i <= PurgeQueue::words_max; ++i) {
    names.push_back(touched("n" + std::to_string(i) + ".example.org."));
  }
  queue.add(names, start);
  EXPECT_EQ(queue.take(start)->command(), "PURGE\n");
  EXPECT_FALSE(queue.take(start));
  EXPECT_EQ(queue.take(start + 1s)->command(), "PURGE\n") << "the second time too";
}

TEST(PurgeQueue, ManySmallAdditionsStayBounded) {
  PurgeQueue queue(500ms);
  for (std::size_t i = 0; i < 3 * PurgeQueue::words_max; ++i) {
    queue.add({touched("n" + std::to_string(i) + ".example.org.")}, start);
    EXPECT_LE(queue.waiting(), 2 * PurgeQueue::words_max + 2);
  }
  EXPECT_EQ(queue.take(start)->command(), "PURGE\n");
  EXPECT_EQ(queue.take(start + 1s)->command(), "PURGE\n");
  EXPECT_FALSE(queue.take(start + 1s));
}

TEST(PurgeQueue, LongListsAreCutIntoCommands) {
  PurgeQueue queue(500ms);
  std::vector<Touched> names;
  for (int i = 0; i < 2000; ++i) {
    names.push_back(touched("name-" + std::to_string(i) + ".example.org."));
  }
  queue.add(names, start);
  std::size_t words = 0;
  while (auto batch = queue.take(start)) {
    EXPECT_LE(batch->command().size(), PurgeQueue::batch_octets + 16);
    words += batch->words.size();
  }
  EXPECT_EQ(words, 2000U);
}

}  // namespace
