#include "dns-backend/feed/codec.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace feed {
namespace {

using database::Blob;
using database::Change;
using database::Changes;
using database::Value;
using testing::HasSubstr;

void expect_same(Changes const& left, Changes const& right) {
  EXPECT_EQ(left.from, right.from);
  EXPECT_EQ(left.to, right.to);
  EXPECT_EQ(left.complete, right.complete);
  EXPECT_EQ(left.history, right.history);
  ASSERT_EQ(left.rows.size(), right.rows.size());
  for (std::size_t i = 0; i < left.rows.size(); ++i) {
    EXPECT_EQ(left.rows[i].revision, right.rows[i].revision);
    EXPECT_EQ(left.rows[i].table, right.rows[i].table);
    EXPECT_EQ(left.rows[i].key, right.rows[i].key);
    EXPECT_EQ(left.rows[i].values, right.rows[i].values);
  }
}

Changes sample() {
  Changes changes;
  changes.from = 41;
  changes.to = 43;
  changes.history = "0123456789abcdef";
  changes.rows.push_back({42, "zone", {{"id", std::int64_t{7}}}, {{"id", std::int64_t{7}}, {"name", "a."}}});
  changes.rows.push_back({43, "record", {{"zone", std::int64_t{7}}, {"owner", "www"}}, {}});
  return changes;
}

TEST(FeedCodec, ReturnsWhatItWasGiven) {
  expect_same(parse_changes(to_json(sample())).value(), sample());
  Changes complete;
  complete.complete = true;
  complete.to = 9;
  expect_same(parse_changes(to_json(complete)).value(), complete);
}

TEST(FeedCodec, CarriesEveryValueExactly) {
  Blob every(256);
  for (std::size_t i = 0; i < every.size(); ++i) {
    every[i] = static_cast<std::uint8_t>(i);
  }
  std::string const octets(every.begin(), every.end());
  for (Value const& value : std::vector<Value>{std::monostate{},
                                               std::int64_t{0},
                                               std::numeric_limits<std::int64_t>::min(),
                                               std::numeric_limits<std::int64_t>::max(),
                                               (std::int64_t{1} << 53U) + 1,
                                               0.1,
                                               -1.0,
                                               5e-324,
                                               1.7976931348623157e308,
                                               std::numeric_limits<double>::infinity(),
                                               "",
                                               "plain",
                                               "quote \" backslash \\ newline \n",
                                               std::string("a\0b", 3),
                                               octets,
                                               Blob{},
                                               Blob{0},
                                               Blob{1, 2},
                                               Blob{1, 2, 3},
                                               every}) {
    Changes changes;
    changes.to = 1;
    changes.rows.push_back({1, "t", {{"k", std::int64_t{1}}}, {{"v", value}}});
    auto back = parse_changes(to_json(changes));
    ASSERT_TRUE(back) << back.error().what();
    EXPECT_EQ(back->rows[0].values[0].second, value);
  }
}

TEST(FeedCodec, TellsAGoneRowFromARowOfNulls) {
  Changes changes = sample();
  changes.rows[0].values = {{"id", std::monostate{}}};
  Changes const back = parse_changes(to_json(changes)).value();
  EXPECT_EQ(back.rows[0].values.size(), 1U);
  EXPECT_TRUE(back.rows[1].values.empty());
}

std::string with(std::string const& part, std::string const& replacement) {
  std::string text = to_json(sample());
  std::size_t const at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), replacement);
}

TEST(FeedCodec, RefusesWhatIsNotExactlyItsFormat) {
  ASSERT_TRUE(parse_changes(with("\"from\":41", "\"from\":40")));
  for (std::string const& wrong : {
           std::string(),
           std::string("[]"),
           std::string("{}"),
           std::string("{\"format\":1}"),
           with("}", ""),
           with("\"format\":1", "\"format\":2"),
           with("\"format\":1", "\"format\":\"1\""),
           with("\"from\":41", "\"from\":44"),
           with("\"from\":41", "\"from\":-1"),
           with("\"to\":43", "\"to\":4.5"),
           with("\"complete\":false", "\"complete\":0"),
           with("\"history\":\"0123456789abcdef\"", "\"history\":7"),
           with("\"rows\":[", "\"rows\":[7,"),
           with("\"table\":\"zone\"", "\"table\":null"),
           with("\"revision\":42", "\"revision\":null"),
           with("[[\"id\",7]]", "{\"id\":7}"),
           with("[\"id\",7]", "[\"id\"]"),
           with("[\"id\",7]", "[7,7]"),
           with("[\"id\",7]", "[\"id\",true]"),
           with("[\"id\",7]", "[\"id\",18446744073709551615]"),
           with("[\"id\",7]", "[\"id\",0.5]"),
           with("[\"id\",7]", "[\"id\",{}]"),
           with("[\"id\",7]", "[\"id\",{\"x\":\"y\"}]"),
           with("[\"id\",7]", "[\"id\",{\"base64\":\"AA==\",\"text\":\"AA==\"}]"),
           with("[\"id\",7]", "[\"id\",{\"base64\":\"A===\"}]"),
           with("[\"id\",7]", "[\"id\",{\"base64\":\"AAA\"}]"),
           with("[\"id\",7]", "[\"id\",{\"base64\":\"A=AA\"}]"),
           with("[\"id\",7]", "[\"id\",{\"base64\":\"AA*=\"}]"),
           with("[\"id\",7]", "[\"id\",{\"base64\":7}]"),
           with("[\"id\",7]", "[\"id\",{\"real\":\"x\"}]"),
           with("[\"id\",7]", "[\"id\",{\"real\":\"1 \"}]"),
       }) {
    auto parsed = parse_changes(wrong);
    ASSERT_TRUE(parsed.has_error()) << wrong;
    EXPECT_EQ(parsed.error().code, errc::bad_message);
  }
}

TEST(FeedCodec, SurvivesDeepNesting) {
  EXPECT_TRUE(parse_changes(std::string(100000, '[')).has_error());
}

}  // namespace
}  // namespace feed
