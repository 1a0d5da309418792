#include "mesh/twins/turns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace twins {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Time at(int seconds) {
  return Time{} + std::chrono::seconds(seconds);
}

TEST(Turns, AReplacedMarkIsNoTwin) {
  Turns turns(60s, 1);
  turns.saw("a", "old", "192.0.2.1", at(0));
  turns.saw("a", "old", "192.0.2.1", at(10));
  turns.saw("a", "new", "192.0.2.1", at(20));
  turns.saw("a", "new", "192.0.2.1", at(30));
  EXPECT_THAT(turns.places("a", at(30)), IsEmpty()) << "a restart";
  EXPECT_THAT(turns.places("b", at(30)), IsEmpty()) << "never seen";
}

TEST(Turns, TwoThatComeInTurnsAreToldWithTheirPlaces) {
  Turns turns(60s, 1);
  turns.saw("a", "y", "192.0.2.9", at(0));
  turns.saw("a", "x", "192.0.2.1", at(5));
  turns.saw("a", "y", "192.0.2.9", at(10));
  EXPECT_THAT(turns.places("a", at(10)), ElementsAre("192.0.2.1", "192.0.2.9"));
  EXPECT_THAT(turns.others("a", "y", at(10)), ElementsAre("192.0.2.1"));
  EXPECT_THAT(turns.others("a", "x", at(10)), ElementsAre("192.0.2.9"));
  turns.saw("b", "z", "192.0.2.2", at(10));
  EXPECT_THAT(turns.all(at(10)), ElementsAre(testing::Pair("a", ElementsAre("192.0.2.1", "192.0.2.9"))));
}

TEST(Turns, TheyEndWhenOneStaysAway) {
  Turns turns(60s, 1);
  turns.saw("a", "x", "1", at(0));
  turns.saw("a", "y", "2", at(10));
  turns.saw("a", "x", "1", at(20));
  for (int second = 30; second <= 100; second += 10) {
    turns.saw("a", "x", "1", at(second));
  }
  EXPECT_THAT(turns.places("a", at(100)), IsEmpty());
}

TEST(Turns, OneReturnIsNotEnoughWhereTwoAreAsked) {
  Turns turns(60s, 2);
  turns.saw("key", "1:1", "1:1", at(0));
  turns.saw("key", "2:2", "2:2", at(5));
  turns.saw("key", "1:1", "1:1", at(10));
  EXPECT_THAT(turns.places("key", at(10)), IsEmpty());
  turns.saw("key", "2:2", "2:2", at(15));
  EXPECT_THAT(turns.places("key", at(15)), ElementsAre("1:1", "2:2"));
}

TEST(Turns, ReturnsThatAreFarApartAreNone) {
  Turns turns(60s, 1);
  turns.saw("a", "x", "1", at(0));
  turns.saw("a", "y", "2", at(10));
  turns.saw("a", "x", "1", at(100));
  EXPECT_THAT(turns.places("a", at(100)), IsEmpty());
}

TEST(Turns, WhoeverMakesUpMarksIsKeptInBounds) {
  Turns turns(60s, 1);
  for (int i = 0; i < 100; ++i) {
    turns.saw("a", std::to_string(i), std::to_string(i), at(i / 10));
  }
  turns.saw("a", "0", "0", at(10));
  EXPECT_EQ(turns.places("a", at(10)).size(), Turns::marks_max);
}

TEST(Turns, WhoIsNotSeenAnyMoreIsForgotten) {
  Turns turns(60s, 1);
  turns.saw("a", "x", "1", at(0));
  turns.saw("b", "x", "1", at(50));
  turns.forget(at(90));
  EXPECT_EQ(turns.size(), 1U);
}

}  // namespace
}  // namespace twins
