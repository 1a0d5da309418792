#include "base/http/problem.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace net {
namespace {

TEST(Problem, NamesEveryFieldWithAHint) {
  auto const response = problem_of(422, "the input is wrong", {{{"body", 3, 4}, "name", "is missing", "give it"}, {}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
  auto const body = boost::json::parse(response.body);
  EXPECT_EQ(body.at("status"), 422);
  auto const& errors = body.at("errors").as_array();
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].at("line"), 3);
  EXPECT_EQ(errors[0].at("field"), "name");
  EXPECT_EQ(errors[0].at("hint"), "give it");
  EXPECT_EQ(errors[1].at("field"), "body");
  EXPECT_FALSE(errors[1].at("hint").as_string().empty());
}

TEST(Problem, OneIsItsOwnDetail) {
  auto const body = boost::json::parse(problem_of(409, "taken", "label", "there is one", "another").body);
  EXPECT_EQ(body.at("detail"), "there is one");
  EXPECT_EQ(body.at("errors").at(0).at("message"), "there is one");
}

TEST(Problem, WhatItRepeatsIsUtf8) {
  EXPECT_EQ(as_utf8("аdmin \xf0\x9f\x98\x80"), "аdmin \xf0\x9f\x98\x80");
  for (char const* const wrong :
       {"\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    std::string const text = as_utf8(std::string("a") + wrong);
    EXPECT_TRUE(text.starts_with("a\xef\xbf\xbd")) << text;
    EXPECT_NO_THROW(boost::json::parse(boost::json::serialize(boost::json::value(text)))) << text;
  }
  auto const response = problem_of(422, "wrong", "name", "'\xff' is none", "\xfe");
  EXPECT_NO_THROW(boost::json::parse(response.body));
  EXPECT_NO_THROW(boost::json::parse(HttpResponse::problem(404, "not found", "no '\xff'").body));
}

}  // namespace
}  // namespace net
