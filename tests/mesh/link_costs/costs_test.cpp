#include "mesh/link_costs/costs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace link_costs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::IsEmpty;
namespace json = boost::json;

cost::Time const start{std::chrono::hours(1000)};

json::object report(std::string const& text) {
  return json::parse(text).as_object();
}

// Reports of ten seconds each, until somebody changes or the time is over.
std::vector<cost::Change> run(CostBook& book, seconds from, seconds until, std::string const& ann,
                              std::string const& bob) {
  for (auto at = from; at < until; at += seconds(10)) {
    book.report("ann", report(ann), start + at);
    book.report("bob", report(bob), start + at);
    if (auto changes = book.decide(start + at); !changes.empty()) {
      return changes;
    }
  }
  return {};
}

TEST(CostBook, MakesOneCostOfWhatBothEndsReport) {
  CostBook book{cost::Settings{}};
  book.follow({{"ann--bob", {"ann", "bob", 10}}});
  auto const changes = run(book, seconds(0), minutes(10), R"({"neighbors_full":2,"rtt_us":{"ann--bob":20000}})",
                           R"({"neighbors_full":2,"rtt_us":{"ann--bob":90000}})");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].link, "ann--bob");
  cost::Ladder const ladder{cost::Settings{}};
  EXPECT_EQ(changes[0].cost, ladder.cost(ladder.rung(cost::RoundTrip(90'000))));
}

TEST(CostBook, PassesOverWhatIsNotOfItsFormAndLinksOfOthers) {
  CostBook book{cost::Settings{}};
  book.follow({{"cat--dan", {"cat", "dan", 10}}});
  for (auto const* text : {R"({"rtt_us":{"cat--dan":90000}})", R"({"rtt_us":{"cat--dan":"x"}})", R"({"rtt_us":[1]})",
                           R"({"rtt_us":{"cat--dan":-1}})", R"({"neighbors_full":"many"})", "{}"}) {
    EXPECT_THAT(run(book, seconds(0), minutes(10), text, text), IsEmpty()) << text;
  }
}

TEST(CostBook, WaitsWhileTheAdjacenciesOfAnEndComeAndGo) {
  CostBook book{cost::Settings{}};
  book.follow({{"ann--bob", {"ann", "bob", 10}}});
  for (auto at = seconds(0); at < minutes(20); at += seconds(10)) {
    auto const full = std::to_string(at.count() / 10 % 2 + 1);
    book.report("bob", report(R"({"neighbors_full":)" + full + R"(,"rtt_us":{"ann--bob":90000}})"), start + at);
    EXPECT_THAT(book.decide(start + at), IsEmpty());
  }
}

TEST(CostBook, AChangeThatCouldNotBeMadeIsAskedForAgain) {
  CostBook book{cost::Settings{}};
  MeasuredLinks const links{{"ann--bob", {"ann", "bob", 10}}};
  book.follow(links);
  std::string const slow = R"({"rtt_us":{"ann--bob":90000}})";
  auto const first = run(book, seconds(0), minutes(10), slow, slow);
  ASSERT_EQ(first.size(), 1U);
  book.forget(first);
  book.follow(links);
  auto const again = run(book, minutes(10), minutes(20), slow, slow);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].cost, first[0].cost);
}

TEST(CostBook, WhatNoLongerFollowsMeasurementsIsForgotten) {
  CostBook book{cost::Settings{}};
  book.follow({{"ann--bob", {"ann", "bob", 10}}});
  book.follow({});
  std::string const slow = R"({"rtt_us":{"ann--bob":90000}})";
  EXPECT_THAT(run(book, seconds(0), minutes(20), slow, slow), IsEmpty());
}

TEST(Costs, AreKeptAndRaiseTheRevisionOnceARound) {
  auto database = database::Database::open("sqlite://:memory:", {schema()}).value();
  auto const before = database->revision();
  EXPECT_EQ(*write_costs(*database, {{"ann--bob", 15}, {"ann--cat", 23}}), before + 1);
  EXPECT_EQ(*write_costs(*database, {{"ann--bob", 34}}), before + 2);
  EXPECT_EQ(*read_costs(*database), (std::map<std::string, std::uint32_t>{{"ann--bob", 34}, {"ann--cat", 23}}));
}

}  // namespace
}  // namespace link_costs
