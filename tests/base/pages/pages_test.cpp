#include "base/pages/pages.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace net {
namespace {

namespace json = boost::json;

HttpRequest asking(std::string limit, std::string cursor = {}) {
  HttpRequest request;
  if (!limit.empty()) {
    request.query["limit"] = std::move(limit);
  }
  if (!cursor.empty()) {
    request.query["cursor"] = std::move(cursor);
  }
  return request;
}

TEST(Pages, EveryItemComesOnceWhateverTheLimit) {
  std::vector<std::string> keys;
  for (std::int64_t number : {1, 2, 9, 10, 11, 100, 1000}) {
    keys.push_back(page_key(number));
  }
  for (std::size_t limit = 1; limit <= keys.size() + 1; ++limit) {
    std::vector<std::size_t> seen;
    Page page{limit, {}};
    for (;;) {
      json::object const body = page_of(
          "items", keys,
          [&seen](std::size_t at) {
            seen.push_back(at);
            return json::value(at);
          },
          page);
      EXPECT_LE(body.at("items").as_array().size(), limit);
      if (!body.contains("next")) {
        break;
      }
      page.cursor = std::string(body.at("next").as_string());
    }
    EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6})) << limit;
  }
}

TEST(Pages, ACursorNeedNotBeThereAnyMore) {
  std::vector<std::pair<std::string, json::value>> const items{{"a", 1}, {"c", 3}};
  EXPECT_EQ(json::serialize(page_of("items", items, {10, "b"})), R"({"items":[3]})");
  EXPECT_EQ(json::serialize(page_of("items", items, {10, "d"})), R"({"items":[]})");
  EXPECT_EQ(json::serialize(page_of("items", {}, {10, ""})), R"({"items":[]})");
}

TEST(Pages, ALimitIsAWholeNumberUpToAThousand) {
  EXPECT_EQ(read_page(asking(""), 7)->limit, 7U);
  EXPECT_EQ(read_page(asking("1000", "k"), 7)->limit, 1000U);
  EXPECT_EQ(read_page(asking("1", "k"), 7)->cursor, "k");
  for (char const* const wrong : {"0", "1001", "-1", "ten", "1x", " 1"}) {
    auto const page = read_page(asking(wrong), 7);
    ASSERT_FALSE(page) << wrong;
    EXPECT_EQ(page.error().at(0).path, "limit");
  }
}

}  // namespace
}  // namespace net
