#include "base/net/backoff.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToTheLimitAndStartsAgainAfterSuccess) {
  net::Backoff backoff(100ms, 1000ms);
  EXPECT_EQ(backoff.next(0), 100ms);
  EXPECT_EQ(backoff.next(0), 200ms);
  EXPECT_EQ(backoff.next(0), 400ms);
  EXPECT_EQ(backoff.next(0), 800ms);
  EXPECT_EQ(backoff.next(0), 1000ms);
  EXPECT_EQ(backoff.failures(), 5U);
  backoff.succeeded();
  EXPECT_EQ(backoff.next(0), 100ms);
}

TEST(Backoff, TakesOffAtMostAQuarter) {
  for (std::uint32_t const random : {1U, 24U, 25U, 26U, 4'000'000'000U, 4'294'967'295U}) {
    net::Backoff backoff(100ms, 1000ms);
    auto const wait = backoff.next(random);
    EXPECT_GE(wait, 75ms) << random;
    EXPECT_LE(wait, 100ms) << random;
  }
}

TEST(Backoff, StaysAtTheLimitForEver) {
  net::Backoff backoff(1ms, 60s);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_LE(backoff.next(0), 60s);
  }
  EXPECT_EQ(backoff.next(0), 60s);
}

}  // namespace
