#include "base/http/conditional.hpp"

#include <memory>
#include <gtest/gtest.h>

namespace net {
namespace {

HttpResponse answer(std::string body, std::string const& tag = {}) {
  HttpResponse response = HttpResponse::json(200, std::move(body));
  if (!tag.empty()) {
    response.headers.set("ETag", tag);
  }
  return response;
}

std::string tag_of(HttpResponse const& response) {
  return std::string(response.headers.get("ETag"));
}

TEST(Conditional, ATagFollowsTheBody) {
  std::string const tag = tag_of(conditional("GET", "", answer("{}")));
  EXPECT_TRUE(tag.starts_with('"') && tag.ends_with('"')) << tag;
  EXPECT_EQ(tag_of(conditional("HEAD", "", answer("{}"))), tag);
  EXPECT_NE(tag_of(conditional("GET", "", answer("{ }"))), tag);
}

TEST(Conditional, ARevisionStaysInFrontAndAWholeTagAsItIs) {
  std::string const tag = tag_of(conditional("GET", "", answer("{}", "\"17\"")));
  EXPECT_TRUE(tag.starts_with("\"17-")) << tag;
  EXPECT_EQ(tag_of(conditional("GET", "", answer("{}", tag))), tag);
}

TEST(Conditional, WhatIsKnownIsNotSentAgain) {
  std::string const tag = tag_of(conditional("GET", "", answer("{}")));
  for (std::string const& known : {tag, "W/" + tag, "\"x\", " + tag, "\"x\"," + tag + ", \"y\"", std::string("*")}) {
    auto const same = conditional("GET", known, answer("{}"));
    EXPECT_EQ(same.status, 304) << known;
    EXPECT_EQ(same.body, "");
    EXPECT_EQ(tag_of(same), tag);
    EXPECT_EQ(same.headers.get("Content-Type"), "");
  }
  for (std::string const& other : {std::string("\"x\""), std::string("x"), tag.substr(1), std::string(" ,"),
                                   std::string("\""), std::string("W/")}) {
    EXPECT_EQ(conditional("GET", other, answer("{}")).status, 200) << other;
  }
}

TEST(Conditional, WhatIsNotReadIsLeftAlone) {
  for (HttpResponse response : {HttpResponse::problem(404, "x", "y"), HttpResponse::text(200, "ok")}) {
    EXPECT_EQ(tag_of(conditional("GET", "*", response)), "");
  }
  EXPECT_EQ(tag_of(conditional("PUT", "*", answer("{}"))), "");
  HttpResponse secret = answer("{}");
  secret.headers.set("Cache-Control", "no-store");
  EXPECT_EQ(conditional("GET", "*", secret).status, 200);
  HttpResponse shared = answer("");
  shared.shared_body = std::make_shared<std::string const>("{}");
  EXPECT_EQ(conditional("GET", "*", shared).status, 200) << "its tag would be that of every other one";
}

}  // namespace
}  // namespace net
