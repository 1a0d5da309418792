#include "base/http/http.hpp"

#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>

namespace {

using net::HttpRequest;
using net::HttpResponse;
using net::Task;
using testing::HasSubstr;

// Echoes what the router found, so that one handler serves every case.
Task<HttpResponse> echo(HttpRequest request) {
  std::string out = request.path;
  for (auto const& [name, value] : request.parameters) {
    out += " {" + name + "=" + value + "}";
  }
  for (auto const& [name, value] : request.query) {
    out += " ?" + name + "=" + value;
  }
  co_return HttpResponse::text(200, out);
}

Task<HttpResponse> literal(HttpRequest) {
  co_return HttpResponse::text(200, "literal");
}
Task<HttpResponse> throws(HttpRequest) {
  throw std::runtime_error("secret detail");
  co_return HttpResponse();
}
Task<HttpResponse> cancelled(HttpRequest) {
  throw boost::system::system_error(boost::asio::error::operation_aborted);
  co_return HttpResponse();
}

class RouterTest : public testing::Test {
 protected:
  HttpResponse ask(std::string const& method, std::string const& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    return test::run_task(loop_, router_.dispatch(request));
  }
  boost::asio::io_context loop_;
  net::Router router_;
};

TEST_F(RouterTest, FindsTheRouteAndItsParameters) {
  router_.add("GET", "/v1/zones/{zone}/records/{name}", echo);
  EXPECT_EQ(ask("GET", "/v1/zones/example.org./records/www").body,
            "/v1/zones/example.org./records/www {name=www} {zone=example.org.}");
}

TEST_F(RouterTest, DecodesSegmentsAfterSplittingAndTheQueryWithPlus) {
  router_.add("GET", "/v1/zones/{zone}", echo);
  EXPECT_EQ(ask("GET", "/v1/zones/0%2F25.2.0.192").body, "/v1/zones/0/25.2.0.192 {zone=0/25.2.0.192}");
  EXPECT_EQ(ask("GET", "/v1/zones/a?x=1+2%2B&y&=z&&x2=%26").body, "/v1/zones/a {zone=a} ?=z ?x=1 2+ ?x2=& ?y=");
}

TEST_F(RouterTest, PrefersALiteralSegmentOverAParameterInAnyOrder) {
  router_.add("GET", "/v1/zones/{zone}", echo);
  router_.add("GET", "/v1/zones/import", literal);
  router_.add("GET", "/{version}/tenants/list", echo);
  router_.add("GET", "/v1/tenants/{name}", literal);
  EXPECT_EQ(ask("GET", "/v1/zones/import").body, "literal");
  EXPECT_EQ(ask("GET", "/v1/tenants/list").body, "literal");
  EXPECT_THAT(ask("GET", "/v2/tenants/list").body, HasSubstr("{version=v2}"));
}

TEST_F(RouterTest, AnswersUnknownPathsWith404) {
  router_.add("GET", "/v1/zones/{zone}", echo);
  for (auto const* target : {"/", "/v1/zones", "/v1/zones/", "/v1/zones/a/", "/v1/zones/a/b", "//v1/zones/a"}) {
    auto const response = ask("GET", target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(response.headers.get("content-type"), "application/problem+json");
  }
}

TEST_F(RouterTest, AnswersAnotherMethodWith405AndAllow) {
  router_.add("GET", "/v1/zones/{zone}", echo);
  router_.add("DELETE", "/v1/zones/{zone}", echo);
  auto const response = ask("POST", "/v1/zones/a");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.get("Allow"), "DELETE, GET");
  EXPECT_EQ(ask("HEAD", "/v1/zones/a").status, 200);
}

TEST_F(RouterTest, AnswersAMalformedTargetWith400) {
  router_.add("GET", "/{a}", echo);
  for (auto const* target : {"", "*", "http://a/", "/%", "/%zz", "/a?x=%4"}) {
    EXPECT_EQ(ask("GET", target).status, 400) << target;
  }
}

TEST_F(RouterTest, TurnsAnExceptionInto500WithoutItsTextAndLogsIt) {
  router_.add("GET", "/broken", throws);
  testing::internal::CaptureStderr();
  auto const response = ask("GET", "/broken");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("secret detail"));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
}

TEST_F(RouterTest, LetsACancellationPass) {
  router_.add("GET", "/gone", cancelled);
  EXPECT_THROW(ask("GET", "/gone"), boost::system::system_error);
}

TEST(Headers, AreFoundInAnyCaseAndReplacedBySet) {
  net::Headers headers;
  headers.set("Content-Type", "a");
  headers.set("content-type", "b");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "b");
  EXPECT_EQ(headers.items.size(), 1U);
  headers.items.emplace_back("Link", "1");
  headers.items.emplace_back("link", "2");
  EXPECT_EQ(headers.get("Link"), "2");
  EXPECT_EQ(headers.get("absent"), "");
}

TEST(Problem, IsRfc9457Json) {
  auto const response = HttpResponse::problem(409, "Conflict", "a \"b\"");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.body, R"({"title":"Conflict","status":409,"detail":"a \"b\""})");
}

}  // namespace
