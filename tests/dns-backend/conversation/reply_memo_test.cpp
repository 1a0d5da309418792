#include "dns-backend/conversation/reply_memo.hpp"

#include <gtest/gtest.h>

namespace {

using connector::ReplyMemo;
using remote::Method;

TEST(ReplyMemo, WhatWasSaidOfTheSameGenerationIsFound) {
  ReplyMemo memo;
  EXPECT_EQ(memo.find("question", 1), nullptr);
  EXPECT_EQ(memo.find("", 1), nullptr) << "an empty slot is no answer";
  memo.keep("question", 1, Method::lookup, "answer");
  ASSERT_NE(memo.find("question", 1), nullptr);
  EXPECT_EQ(memo.find("question", 1)->reply, "answer");
  EXPECT_EQ(memo.find("question", 1)->method, Method::lookup);
  EXPECT_EQ(memo.find("question", 2), nullptr) << "a newer snapshot has the word";
  EXPECT_EQ(memo.find("questiom", 1), nullptr);
  memo.keep("question", 2, Method::lookup, "another answer");
  EXPECT_EQ(memo.find("question", 2)->reply, "another answer");
  EXPECT_EQ(memo.find("question", 1), nullptr);
}

TEST(ReplyMemo, LongOnesAreNotKeptAndOthersStay) {
  ReplyMemo memo;
  memo.keep("question", 1, Method::lookup, std::string(ReplyMemo::reply_max, 'x'));
  EXPECT_NE(memo.find("question", 1), nullptr);
  memo.keep("question", 1, Method::lookup, std::string(ReplyMemo::reply_max + 1, 'x'));
  EXPECT_EQ(memo.find("question", 1)->reply.size(), ReplyMemo::reply_max);
  std::string const request(ReplyMemo::request_max + 1, 'q');
  memo.keep(request, 1, Method::lookup, "answer");
  EXPECT_EQ(memo.find(request, 1), nullptr);
}

TEST(ReplyMemo, ManyQuestionsAreNeverMixedUp) {
  ReplyMemo memo;
  for (int i = 0; i < 1000; ++i) {
    memo.keep("question " + std::to_string(i), 1, Method::lookup, "answer " + std::to_string(i));
    for (int k = 0; k <= i; ++k) {
      ReplyMemo::Kept const* const kept = memo.find("question " + std::to_string(k), 1);
      ASSERT_TRUE(kept == nullptr || kept->reply == "answer " + std::to_string(k));
    }
  }
}

}  // namespace
