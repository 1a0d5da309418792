// An order whose URL was lost with the answer to newOrder is looked for before another is placed.
#include "acme/crypto/csr.hpp"
#include "acme/protocol/order_machine.hpp"

#include <gmock/gmock.h>

namespace protocol {
namespace {

using testing::HasSubstr;

std::string order_json(std::string const& status, std::string const& name = "a.example", std::string const& more = "") {
  return R"({"status":")" + status + R"(","identifiers":[{"type":"dns","value":")" + name +
         R"("}],"authorizations":["https://ca/authz/1"],"finalize":"https://ca/finalize/1")" + more + "}";
}

class OrderSearchTest : public testing::Test {
 protected:
  void start(bool perhaps_placed, std::string account_url = "https://ca/acct/1") {
    OrderPlan plan{names, key, crypto::make_csr(key, names).value(), "thumb", "https://ca/new-order", ""};
    plan.account_url = std::move(account_url);
    plan.perhaps_placed = perhaps_placed;
    machine.emplace(std::move(plan), limits);
    action = machine->resume(Begin{}, now);
  }
  void answer(std::string const& url, int status, std::string body, std::string next = "") {
    auto const* const post = std::get_if<Post>(&action);
    ASSERT_NE(post, nullptr) << "action " << action.index() << " instead of a POST to " << url;
    ASSERT_EQ(post->url, url);
    EXPECT_EQ(post->payload.has_value(), url == "https://ca/new-order");
    Answer given{status, url == "https://ca/new-order" ? "https://ca/order/9" : "", "", std::move(body)};
    given.next = std::move(next);
    action = machine->resume(given, now);
  }
  void list(std::vector<std::string> const& urls, std::string next = "", std::string const& page = "list") {
    std::string body;
    for (std::string const& url : urls) {
      body += (body.empty() ? "\"" : ",\"") + url + "\"";
    }
    answer("https://ca/" + page, 200, R"({"orders":[)" + body + "]}", std::move(next));
  }
  void account() { answer("https://ca/acct/1", 200, R"({"status":"valid","orders":"https://ca/list"})"); }
  void wait() {
    auto const* const waiting = std::get_if<WaitUntil>(&action);
    ASSERT_NE(waiting, nullptr) << "action " << action.index() << " instead of a wait";
    now = waiting->until;
    action = machine->resume(Done{}, now);
  }
  void expect_found(std::string const& url) {
    ASSERT_TRUE(std::holds_alternative<SaveOrder>(action)) << "action " << action.index();
    EXPECT_EQ(std::get<SaveOrder>(action).order_url, url);
    action = machine->resume(Done{}, now);
    EXPECT_EQ(std::get<Post>(action).url, "https://ca/authz/1") << "it goes on like one that was placed";
  }
  void expect_placed() {
    answer("https://ca/new-order", 201, order_json("pending"));
    expect_found("https://ca/order/9");
  }

  Time now = crypto::wall_now();
  OrderLimits limits;
  std::vector<std::string> const names{"a.example"};
  crypto::Key const key = crypto::Key::generate().value();
  std::optional<OrderMachine> machine;
  Action action;
};

TEST_F(OrderSearchTest, AFreshOrderIsPlacedWithoutASearch) {
  start(false);
  expect_placed();
}

TEST_F(OrderSearchTest, OneThatAnEarlierRunPlacedIsGoneOnWith) {
  start(true);
  account();
  list({"https://ca/order/1", "https://ca/order/2"}, "https://ca/list2");
  list({"https://ca/order/3"}, "", "list2");
  answer("https://ca/order/3", 200, order_json("pending", "b.example"));
  answer("https://ca/order/2", 200, order_json("ready"));
  expect_found("https://ca/order/2");
}

TEST_F(OrderSearchTest, WhatCannotBeFinalizedAnyMoreIsPassedOver) {
  start(true);
  account();
  list({"https://ca/order/1", "https://ca/order/2", "https://ca/order/3", "https://ca/order/4"});
  answer("https://ca/order/4", 200, order_json("valid", "a.example", R"(,"certificate":"https://ca/cert/4")"));
  answer("https://ca/order/3", 200, order_json("pending", "a.example", R"(,"expires":"2001-01-01T00:00:00Z")"));
  answer("https://ca/order/2", 404, R"({"type":"urn:ietf:params:acme:error:malformed"})");
  answer("https://ca/order/1", 200, "rubbish");
  expect_placed();
}

TEST_F(OrderSearchTest, ACaWithoutAListIsAskedForAnOrder) {
  start(true);
  answer("https://ca/acct/1", 200, R"({"status":"valid"})");
  expect_placed();
  start(true, "");
  expect_placed();
  start(true);
  answer("https://ca/acct/1", 403, R"({"type":"urn:ietf:params:acme:error:unauthorized"})");
  expect_placed();
}

TEST_F(OrderSearchTest, ALostAnswerToNewOrderLeadsToASearch) {
  start(false);
  action = machine->resume(Lost{"connection reset"}, now);
  wait();
  account();
  list({"https://ca/order/5"});
  answer("https://ca/order/5", 200, order_json("pending"));
  expect_found("https://ca/order/5");
}

TEST_F(OrderSearchTest, AListThatCannotBeHadNowIsAskedForAgain) {
  start(true);
  action = machine->resume(Lost{"connection reset"}, now);
  wait();
  answer("https://ca/acct/1", 503, "");
  wait();
  account();
  answer("https://ca/list", 500, "");
  wait();
  list({});
  expect_placed();
}

TEST_F(OrderSearchTest, ACaThatIsAwayKeepsWhatWasSent) {
  limits.lost_max = 1;
  start(false);
  action = machine->resume(Lost{"connection reset"}, now);
  wait();
  action = machine->resume(Lost{"connection reset"}, now);
  auto const& outcome = std::get<Finish>(action).outcome;
  EXPECT_EQ(outcome.failure, FailureClass::transient);
  EXPECT_TRUE(outcome.keep_order) << "the next run looks for it";
}

TEST_F(OrderSearchTest, LosingAndSearchingInTurnEnds) {
  limits.lost_max = 3;
  start(false);
  int lost = 0;
  while (!std::holds_alternative<Finish>(action) && lost < 100) {
    ASSERT_EQ(std::get<Post>(action).url, "https://ca/new-order");
    ++lost;
    action = machine->resume(Answer{503, "", "", "busy"}, now);
    if (std::holds_alternative<WaitUntil>(action)) {
      wait();
      answer("https://ca/acct/1", 200, R"({"status":"valid"})");
    }
  }
  EXPECT_EQ(lost, 4);
}

TEST_F(OrderSearchTest, ALongListIsLookedThroughFromItsEndAndNotForEver) {
  start(true);
  account();
  std::vector<std::string> urls;
  for (int i = 0; i < 1000; ++i) {
    urls.push_back("https://ca/order/" + std::to_string(i));
  }
  list(urls);
  int asked = 0;
  for (; asked < 1000 && std::get<Post>(action).url != "https://ca/new-order"; ++asked) {
    EXPECT_EQ(std::get<Post>(action).url, urls[urls.size() - 1 - static_cast<std::size_t>(asked)]);
    action = machine->resume(Answer{200, "", "", order_json("pending", "b.example")}, now);
  }
  EXPECT_EQ(asked, 32);
  expect_placed();
}

}  // namespace
}  // namespace protocol
