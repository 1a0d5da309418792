// The client against a scripted Navigator that says what it was asked.
#include "acme/edge/client/client.hpp"

#include "base/http_server/http_server.hpp"
#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include <deque>

namespace edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string item(int number, char digest = 'a') {
  return R"({"id":"tenant-)" + std::to_string(number) + R"(","tenant":"t)" + std::to_string(number) +
         R"(","names":["t.example"],"fingerprint":")" + std::string(64, digest) + R"(","sequence":1})";
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() : navigator(loop.get_executor(), router, {}) {
    router.add("GET", "/v1/edge/bundles", [this](net::HttpRequest request) { return answer(std::move(request)); });
    EXPECT_TRUE(navigator.listen_tcp("127.0.0.1:0"));
    settings.navigators = {"http://127.0.0.1:" + std::to_string(navigator.local_port())};
    settings.long_poll = std::chrono::milliseconds(77);
    client = std::make_unique<Client>(loop.get_executor(), settings);
  }
  ~ClientTest() override { navigator.stop(); }
  net::Task<net::HttpResponse> answer(net::HttpRequest request) {
    asked.push_back(request.target);
    if (asked.size() == stop_at) {
      client->stop();
    }
    std::string body = answers.empty() ? "{}" : answers.front();
    if (!answers.empty()) {
      answers.pop_front();
    }
    co_return net::HttpResponse::json(200, body);
  }
  ListNews follow(bool applied = true, bool wait = true) {
    auto const news = test::run_task(loop, client->follow(applied, wait));
    EXPECT_TRUE(news) << (news ? "" : news.error().what());
    return news ? *news : ListNews();
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (auto const& [id, one] : client->items()) {
      out.push_back(id + " " + one.fingerprint.substr(0, 1));
    }
    return out;
  }

  boost::asio::io_context loop;
  net::Router router;
  net::HttpServer navigator;
  ClientSettings settings;
  std::unique_ptr<Client> client;
  std::deque<std::string> answers;
  std::vector<std::string> asked;
  std::size_t stop_at = 0;  // the question after which the client is told to stop
};

TEST_F(ClientTest, TheWholeListComesInPagesAndThenWhatChanged) {
  answers = {R"({"sequence":9,"complete":true,"gone":[],"next":1,"bundles":[)" + item(1) + "]}",
             R"({"sequence":9,"complete":true,"gone":[],"bundles":[)" + item(2) + "," + item(3) + "]}",
             R"({"sequence":10,"complete":false,"gone":["tenant-1"],"bundles":[)" + item(2, 'b') + "]}"};
  EXPECT_TRUE(follow(false).complete);
  EXPECT_THAT(ids(), ElementsAre("tenant-1 a", "tenant-2 a", "tenant-3 a"));
  auto const news = follow();
  EXPECT_FALSE(news.complete);
  EXPECT_THAT(news.ids, ElementsAre("tenant-2", "tenant-1"));
  EXPECT_THAT(ids(), ElementsAre("tenant-2 b", "tenant-3 a"));
  EXPECT_THAT(asked, ElementsAre("/v1/edge/bundles?since=0&wait_ms=0&delta=1", "/v1/edge/bundles?delta=1&after=1",
                                 "/v1/edge/bundles?since=9&wait_ms=77&delta=1&applied=9"));
}

TEST_F(ClientTest, WhatIsNotAppliedIsNotSaidAndNotWaitedFor) {
  answers = {R"({"sequence":9,"complete":true,"gone":[],"bundles":[]})",
             R"({"sequence":9,"complete":false,"gone":[],"bundles":[]})"};
  follow(false);
  EXPECT_THAT(follow(false, false).ids, IsEmpty());
  EXPECT_EQ(asked.back(), "/v1/edge/bundles?since=9&wait_ms=0&delta=1");
}

TEST_F(ClientTest, AListThatMovedWhileItWasReadIsAskedForAgain) {
  answers = {R"({"sequence":9,"complete":true,"gone":[],"next":1,"bundles":[)" + item(1) + "]}",
             R"({"sequence":10,"complete":true,"gone":[],"bundles":[)" + item(2) + "]}",
             R"({"sequence":9,"complete":false,"gone":["tenant-2"],"bundles":[]})",
             R"({"sequence":9,"complete":false,"gone":[],"bundles":[]})"};
  follow(false);
  follow();
  EXPECT_THAT(ids(), ElementsAre("tenant-1 a"));
  EXPECT_THAT(asked.back(), HasSubstr("since=9&wait_ms=0"));
  EXPECT_THAT(asked.back(), HasSubstr("reread=1"));
  EXPECT_THAT(asked.back(), Not(HasSubstr("applied"))) << "it is no list that ever was";
  follow();
  EXPECT_THAT(asked.back(), Not(HasSubstr("reread")));
}

TEST_F(ClientTest, HalfAListIsNoListWhenItIsStopped) {
  answers = {R"({"sequence":9,"complete":true,"gone":[],"bundles":[)" + item(1) + "," + item(2) + "]}",
             R"({"sequence":10,"complete":true,"gone":[],"next":1,"bundles":[)" + item(1) + "]}"};
  follow(false);
  stop_at = 2;
  EXPECT_FALSE(test::run_task(loop, client->follow(true, false)));
  EXPECT_THAT(ids(), ElementsAre("tenant-1 a", "tenant-2 a"));
}

TEST_F(ClientTest, AnOlderNavigatorSendsTheWholeListEachTime) {
  answers = {R"({"sequence":9,"bundles":[)" + item(1) + "]}", R"({"sequence":10,"bundles":[)" + item(2) + "]}"};
  EXPECT_TRUE(follow(false).complete);
  EXPECT_TRUE(follow().complete);
  EXPECT_THAT(ids(), ElementsAre("tenant-2 a"));
}

TEST_F(ClientTest, WhatCannotBeReadChangesNothing) {
  answers = {R"({"sequence":9,"complete":true,"gone":[],"bundles":[)" + item(1) + "]}", "{}",
             R"({"sequence":10,"complete":true,"gone":[],"next":1,"bundles":[)" + item(2) + "]}",
             R"({"sequence":10,"complete":true,"gone":[],"next":1,"bundles":[]})"};
  follow(false);
  EXPECT_FALSE(test::run_task(loop, client->follow(true, false)));
  auto const circle = test::run_task(loop, client->follow(true, false));
  ASSERT_FALSE(circle);
  EXPECT_EQ(circle.error().code, errc::bad_bundle) << "pages that do not get on";
  EXPECT_THAT(ids(), ElementsAre("tenant-1 a"));
  EXPECT_THAT(asked, SizeIs(4));
}

}  // namespace
}  // namespace edge
