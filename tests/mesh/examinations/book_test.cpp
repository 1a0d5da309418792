#include "mesh/examinations/book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace examinations {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
namespace json = boost::json;

constexpr auto operators = Book::Asker::an_operator;
constexpr auto some_node = Book::Asker::a_node;
Time const start{std::chrono::hours(1000)};
std::map<std::string, std::int64_t> const reported{{"ann", 995}, {"bob", 996}, {"cat", 900}, {"dan", 0}};

TEST(Book, WhoDoesNotAnswerIsAFinding) {
  Book book;
  auto const number = book.ask(1000, start, operators, {});
  EXPECT_TRUE(book.take(number, "ann", json::parse(R"({"findings":[],"blind":["b"]})").as_object()));
  EXPECT_FALSE(book.complete(expected(reported, 1000))) << "bob was heard a moment ago: he is waited for";
  EXPECT_TRUE(book.take(number, "bob", json::parse(R"({"findings":[{"code":"bird-down"}]})").as_object()));
  EXPECT_TRUE(book.complete(expected(reported, 1000))) << "cat and dan are not waited for";
  auto const report = json::parse(book.report(reported, 1000));
  EXPECT_FALSE(report.at("healthy").as_bool());
  auto const& nodes = report.at("nodes").as_array();
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_TRUE(nodes[0].at("healthy").as_bool());
  EXPECT_EQ(nodes[0].at("blind").at(0).as_string(), "b");
  EXPECT_EQ(nodes[1].at("findings").at(0).at("code").as_string(), "bird-down");
  EXPECT_FALSE(nodes[2].at("answered").as_bool());
  EXPECT_EQ(nodes[2].at("findings").at(0).at("code").as_string(), "node-unreachable");
  EXPECT_THAT(std::string(nodes[2].at("findings").at(0).at("what").as_string()), HasSubstr("100 s ago"));
  EXPECT_THAT(std::string(nodes[3].at("findings").at(0).at("what").as_string()),
              HasSubstr("since the controller started"));
}

TEST(Book, WhoAsksAtOnceGetsTheSameAndLaterANewOne) {
  Book book;
  EXPECT_EQ(book.number(), 0);
  auto const first = book.ask(1000, start, operators, {});
  EXPECT_EQ(book.ask(1002, start + seconds(2), operators, {}), first);
  EXPECT_TRUE(book.take(first, "ann", {}));
  auto const second = book.ask(1004, start + seconds(4), operators, {});
  EXPECT_GT(second, first);
  EXPECT_FALSE(book.complete({"ann"})) << "it begins anew";
  EXPECT_FALSE(book.take(first, "ann", {})) << "late";
  // A clock that was set back does not bring a number again.
  EXPECT_GT(book.ask(10, start + seconds(20), operators, {}), second);
}

TEST(Book, WhoAsksWhileOneRunsJoinsIt) {
  Book book;
  auto const first = book.ask(1000, start, operators, {"ann", "bob"});
  EXPECT_TRUE(book.take(first, "ann", {}));
  EXPECT_EQ(book.ask(1005, start + seconds(5), operators, {"ann", "bob"}), first) << "bob is still waited for";
  EXPECT_TRUE(book.complete({"ann"})) << "what was found is kept";
  EXPECT_EQ(book.until(), start + patience);
  EXPECT_GT(book.ask(1008, start + seconds(8), operators, {"ann", "bob"}), first) << "he does not answer";
}

TEST(Book, NodesBeginANewOneRarelyAndGetTheLast) {
  Book book;
  auto const first = book.ask(1000, start, some_node, {"ann"});
  EXPECT_TRUE(book.take(first, "ann", {}));
  EXPECT_EQ(book.ask(1019, start + seconds(19), some_node, {"ann"}), first);
  EXPECT_TRUE(book.complete({"ann"}));
  EXPECT_GT(book.ask(1021, start + seconds(21), some_node, {"ann"}), first);
  EXPECT_GT(book.ask(1025, start + seconds(25), operators, {}), first + 21) << "an operator need not wait";
}

TEST(Book, AskedForNothingItTakesNothing) {
  Book book;
  EXPECT_FALSE(book.take(0, "ann", {}));
  EXPECT_EQ(book.report({}, 0), R"({"healthy":true,"nodes":[]})");
}

TEST(Book, ANodeMaySayAnything) {
  Book book;
  auto const number = book.ask(1000, start, operators, {});
  EXPECT_TRUE(book.take(number, "ann", json::parse(R"({"findings":7,"blind":{}})").as_object()));
  EXPECT_THAT(book.report({{"ann", 1000}}, 1000), HasSubstr(R"("answered":true,"healthy":true,"findings":[])"));
}

}  // namespace
}  // namespace examinations
