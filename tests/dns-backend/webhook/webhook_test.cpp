#include "dns-backend/webhook/webhook.hpp"

#include "base/http_server/http_server.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

namespace webhook {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class WebhookTest : public testing::Test {
 protected:
  WebhookTest() {
    settings.targets = {{"unix:" + folder.file("hook.sock") + ":/hook", "secret"}};
    settings.first_retry = 5ms;
    settings.last_retry = 10ms;
    auto const receive = [this](net::HttpRequest request) -> net::Task<net::HttpResponse> {
      seen.push_back(std::string(request.headers.get("Sovereign-Event")));
      bodies.push_back(request.body);
      signatures.push_back(std::string(request.headers.get("Sovereign-Signature")));
      net::HttpResponse response;
      response.status = refusals-- > 0 ? 503 : 204;
      co_return response;
    };
    router.add("POST", "/hook", receive);
  }
  void serve() {
    server = std::make_unique<net::HttpServer>(loop.get_executor(), router, net::HttpServerSettings{});
    ASSERT_TRUE(server->listen_unix(folder.file("hook.sock"), 0600));
  }
  void begin() { hook = std::make_unique<Webhook>(loop.get_executor(), settings, metrics); }
  void TearDown() override {
    hook.reset();
    server.reset();
    loop.restart();
    loop.run_for(2s);
  }
  template <class Condition>
  void run_until(Condition condition) {
    for (int i = 0; i < 10000 && !condition(); ++i) {
      loop.restart();
      loop.run_one_for(1s);
    }
    ASSERT_TRUE(condition());
  }

  test::TemporaryFolder folder;
  boost::asio::io_context loop;
  process::Metrics metrics;
  net::Router router;
  std::unique_ptr<net::HttpServer> server;
  WebhookSettings settings;
  std::unique_ptr<Webhook> hook;
  std::vector<std::string> seen, bodies, signatures;
  int refusals = 0;
};

TEST(WebhookSignature, IsTheHmacOfTheBody) {
  // RFC 4231, test case 2.
  EXPECT_EQ(signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_F(WebhookTest, EventsArriveInOrderSigned) {
  serve();
  begin();
  hook->notify("1", "{\"a\":1}");
  hook->notify("2", "{\"a\":2}");
  run_until([this] { return hook->status()[0].taken == 2; });
  EXPECT_THAT(seen, ElementsAre("1", "2"));
  EXPECT_THAT(bodies, ElementsAre("{\"a\":1}", "{\"a\":2}"));
  EXPECT_EQ(signatures[0], signature("secret", "{\"a\":1}"));
  EXPECT_EQ(hook->status()[0].waiting, 0U);
}

TEST_F(WebhookTest, WhatIsRefusedOrUnheardIsSentAgain) {
  begin();
  hook->notify("1", "{}");
  run_until([this] { return !hook->status()[0].last_error.empty(); });
  refusals = 2;
  serve();
  hook->notify("2", "{}");
  run_until([this] { return hook->status()[0].taken == 2; });
  EXPECT_THAT(seen, ElementsAre("1", "1", "1", "2"));
  EXPECT_EQ(hook->status()[0].last_error, "");
}

TEST_F(WebhookTest, AnEventThatNobodyTakesIsGivenUpInTheEnd) {
  settings.patience = 0ms;
  serve();
  refusals = 1;
  begin();
  hook->notify("1", "{}");
  hook->notify("2", "{}");
  run_until([this] { return hook->status()[0].taken == 1; });
  EXPECT_THAT(seen, ElementsAre("1", "2"));
  EXPECT_EQ(hook->status()[0].given_up, 1U);
}

TEST_F(WebhookTest, TooManyLoseTheOldest) {
  settings.waiting_max = 2;
  begin();
  for (int i = 0; i < 5; ++i) {
    hook->notify(std::to_string(i), "{}");
  }
  EXPECT_EQ(hook->status()[0].given_up, 3U);
  serve();
  run_until([this] { return hook->status()[0].taken == 2; });
  EXPECT_THAT(seen, ElementsAre("3", "4"));
}

}  // namespace
}  // namespace webhook
