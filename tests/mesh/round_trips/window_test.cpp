#include "mesh/round_trips/window.hpp"

#include <gtest/gtest.h>

namespace {

using round_trips::RoundTrip;
using round_trips::Time;
using round_trips::Window;
using std::chrono::milliseconds;
using std::chrono::seconds;

Time const start{std::chrono::hours(1000)};

TEST(Window, TheLeastIsOfTenSecondsAndTheMedianOfAMinute) {
  Window window;
  std::uint16_t sequence = 0;
  for (int at = 0; at < 60; ++at) {
    window.sent(++sequence, start + seconds(at));
    // 10 ms at first, from the fiftieth second on 30 ms, with a burst in each.
    milliseconds const took(at % 7 == 0 ? 400 : at < 45 ? 10 : 30);
    window.heard(sequence, start + seconds(at) + took);
  }
  auto const measured = window.measured(start + seconds(60));
  EXPECT_EQ(measured.least, RoundTrip(30'000));
  EXPECT_EQ(measured.median, RoundTrip(10'000));
  EXPECT_EQ(measured.loss, 0);
  EXPECT_EQ(measured.sent, 60U);
}

TEST(Window, WhatIsNotAnsweredInTimeIsLostAndWhatIsUnderWayIsNot) {
  Window window;
  window.sent(1, start);
  window.sent(2, start + seconds(1));
  window.heard(1, start + milliseconds(5));
  EXPECT_EQ(window.measured(start + seconds(1)).loss, 0);
  window.heard(2, start + seconds(1) + milliseconds(2001));
  auto const measured = window.measured(start + seconds(4));
  EXPECT_EQ(measured.loss, 0.5);
  EXPECT_EQ(measured.least, RoundTrip(5000));
}

TEST(Window, ASecondAnswerAndOneToNothingChangeNothing) {
  Window window;
  window.heard(9, start);
  window.sent(1, start);
  window.heard(1, start + milliseconds(5));
  window.heard(1, start + milliseconds(900));
  window.heard(7, start + milliseconds(1));
  EXPECT_EQ(window.measured(start + seconds(1)).median, RoundTrip(5000));
}

TEST(Window, ASilentLinkSoonSaysNothing) {
  Window window;
  window.sent(1, start);
  window.heard(1, start + milliseconds(5));
  EXPECT_FALSE(window.measured(start + seconds(11)).least);
  EXPECT_TRUE(window.measured(start + seconds(11)).median);
  EXPECT_FALSE(window.measured(start + seconds(61)).median);
  EXPECT_EQ(window.measured(start + seconds(61)).sent, 0U);
  EXPECT_FALSE(Window().measured(start).least);
}

}  // namespace
