// What a process leaves that ends at any moment of a request: its change and what tells of it, or neither.
#include "dns-backend/api/gate/gate.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <filesystem>

namespace api {
namespace {

namespace fs = std::filesystem;

// One life of a Navigator's gate over a store in a file, with one route that makes a zone.
class Life {
 public:
  explicit Life(std::string const& file)
      : store(store::Store::open("sqlite://" + file, {}, health, loop.get_executor()).value()),
        dependencies{*store, metrics},
        tokens(*store),
        gate(dependencies, tokens, metrics) {
    gate.stand_around(router);
    router.add("POST", "/v1/things", [this](net::HttpRequest request) { return make(std::move(request)); });
    found = test::run_task(loop, audit::recover(store->thread())).value();
  }

  net::HttpResponse post(std::string const& key, std::string const& zone = "one.example.") {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/things";
    request.body = zone;
    request.peer.is_unix = true;
    if (!key.empty()) {
      request.headers.set("Idempotency-Key", key);
    }
    return test::run_task(loop, router.dispatch(std::move(request)));
  }
  std::vector<audit::Entry> log() { return test::run_task(loop, audit::read(store->thread(), {})).value(); }
  std::int64_t number(std::string const& sql) {
    std::function<base::Result<std::int64_t>(database::Database&)> const look =
        [sql](database::Database& database) -> base::Result<std::int64_t> {
      return database::integer(database.query(sql).value()[0][0]);
    };
    return test::run_task(loop, store->thread().run<std::int64_t>(look)).value();
  }
  std::int64_t under_way() { return number("SELECT count(*) FROM request_under_way"); }
  // As the gate does when a request ended.
  void keep(std::string const& actor, std::string const& key, std::int64_t at_ms) {
    audit::Ending ending{"r-" + key, std::nullopt, audit::KeptAnswer{actor, key, "digest", 201, {}, "{}", at_ms}};
    test::run_task(loop, audit::finish(store->thread(), std::move(ending))).value();
  }
  bool keeps(std::string const& actor, std::string const& key, std::int64_t now_ms) {
    return test::run_task(loop, audit::find_answer(store->thread(), actor, key, now_ms)).value().has_value();
  }

  boost::asio::io_context loop{1};
  pool::HealthTable health;
  process::Metrics metrics;
  std::unique_ptr<store::Store> store;
  Dependencies dependencies;
  tokens::Tokens tokens;
  Gate gate;
  net::Router router;
  std::int64_t found = 0;
  int made = 0;
  int status = 201;
  std::size_t more = 0;  // octets of an answer
  std::function<void()> after_the_change = [] {};

 private:
  // As routes do, with a deadline around, so that the change is made by a task below the handler's.
  net::Task<net::HttpResponse> make(net::HttpRequest request) {
    auto const apex = dns::Name::parse(request.body);
    if (!apex) {
      co_return net::HttpResponse::problem(422, "no name", "it is none");
    }
    net::Task<base::Result<store::Revision>> task = store->create_zone(*apex, {}, {});
    auto const done = co_await net::within(std::chrono::seconds(10), std::move(task));
    if (!done) {
      co_return net::HttpResponse::problem(409, "not made", done.error().what());
    }
    ++made;
    after_the_change();
    co_return net::HttpResponse::json(status, R"({"made":")" + std::string(more, 'x') + R"("})");
  }
};

class GateTest : public testing::Test {
 protected:
  // The store as kill -9 leaves it now: the file, and the log of what was committed since.
  std::string killed(char const* name) {
    std::string const copy = (fs::path(folder.path()) / name).string();
    for (char const* const end : {"", "-wal"}) {
      fs::copy_file(file + end, copy + end);
    }
    return copy;
  }

  test::TemporaryFolder folder;
  std::string file = (fs::path(folder.path()) / "store.db").string();
};

TEST_F(GateTest, AProcessThatEndsBeforeItsAnswerLosesNoRowOfTheLog) {
  std::string copy;
  {
    Life life(file);
    life.after_the_change = [&] { copy = killed("between.db"); };
    ASSERT_EQ(life.post("").status, 201);
    EXPECT_EQ(life.under_way(), 0);
    ASSERT_EQ(life.log().size(), 1U);
    EXPECT_EQ(life.log()[0].status, 201);
  }
  Life next(copy);
  EXPECT_EQ(next.found, 1);
  EXPECT_EQ(next.under_way(), 0);
  EXPECT_NE(next.store->published().copy()->zone(dns::Name::parse("one.example.").value()), nullptr);
  auto const log = next.log();
  ASSERT_EQ(log.size(), 1U) << "the change is there, and its row with it";
  EXPECT_EQ(log[0].status, 0);
  EXPECT_EQ(log[0].actor, "unix");
  EXPECT_EQ(log[0].method + " " + log[0].target, "POST /v1/things");
  EXPECT_NE(log[0].detail, "");
}

TEST_F(GateTest, ARepeatAfterItDoesNothingTwice) {
  std::string copy;
  {
    Life life(file);
    life.after_the_change = [&] { copy = killed("between.db"); };
    ASSERT_EQ(life.post("key-1").status, 201);
    life.after_the_change = [] {};
    auto const again = life.post("key-1");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
    EXPECT_EQ(life.made, 1);
  }
  Life next(copy);
  auto const repeat = next.post("key-1");
  EXPECT_EQ(repeat.status, 409);
  EXPECT_NE(repeat.body.find("the answer is lost"), std::string::npos);
  EXPECT_EQ(next.made, 0) << "the route was not asked";
  EXPECT_EQ(next.post("key-1", "two.example.").status, 422) << "another request with this key";
  EXPECT_EQ(next.post("key-2", "two.example.").status, 201);
}

// The first life's own, when its last transaction failed: it is not asked again either.
TEST_F(GateTest, WhatIsUnderWayAndNobodysWorkIsLostToo) {
  Life life(file);
  life.after_the_change = [] { throw std::runtime_error("as no route should"); };
  EXPECT_EQ(life.post("key-1").status, 500);
  EXPECT_EQ(life.under_way(), 1);
  life.after_the_change = [] {};
  EXPECT_EQ(life.post("key-1").status, 409);
  EXPECT_EQ(life.made, 1);
}

TEST_F(GateTest, WhatChangedNothingIsNotUnderWay) {
  Life life(file);
  ASSERT_EQ(life.post("").status, 201);
  std::string copy;
  EXPECT_EQ(life.post("key-1").status, 409) << "it is there";
  EXPECT_EQ(life.under_way(), 0);
  Life next(killed("after.db"));
  EXPECT_EQ(next.found, 0);
  ASSERT_EQ(next.log().size(), 2U);
  EXPECT_EQ(next.log()[0].status, 409);
  EXPECT_EQ(next.post("key-1", "three.example.").status, 201) << "a refusal is asked anew";
}

TEST_F(GateTest, OfALargeAnswerIsKeptThatItWasDone) {
  Life life(file);
  life.more = audit::answer_body_max;
  ASSERT_EQ(life.post("key-1").status, 201);
  auto const repeat = life.post("key-1");
  EXPECT_EQ(repeat.status, 409);
  EXPECT_NE(repeat.body.find("answered with status 201"), std::string::npos) << repeat.body;
  EXPECT_EQ(life.made, 1) << "it is not done twice";
  EXPECT_LT(life.number("SELECT max(length(body)) FROM kept_answer"), 1000);
}

TEST_F(GateTest, AnActorHasAThousandKeptAnswersAndNobodyElsesPlace) {
  Life life(file);
  life.keep("token:other", "key", 1);
  constexpr int all = 1050;
  for (int i = 0; i < all; ++i) {
    life.keep("token:busy", "key-" + std::to_string(i), 1000 + i);
  }
  EXPECT_LE(life.number("SELECT count(*) FROM kept_answer WHERE actor = 'token:busy'"), audit::answers_max);
  EXPECT_FALSE(life.keeps("token:busy", "key-0", all)) << "the oldest goes first";
  EXPECT_TRUE(life.keeps("token:busy", "key-" + std::to_string(all - 900), all));
  EXPECT_TRUE(life.keeps("token:busy", "key-" + std::to_string(all - 1), all));
  EXPECT_TRUE(life.keeps("token:other", "key", all));
}

// A route that answers an error though it changed something is in the log, whoever asked.
TEST_F(GateTest, AChangeIsLoggedWhateverItsAnswer) {
  Life life(file);
  life.status = 503;
  EXPECT_EQ(life.post("").status, 503);
  ASSERT_EQ(life.log().size(), 1U);
  EXPECT_EQ(life.log()[0].status, 503);
  EXPECT_EQ(life.under_way(), 0);
}

}  // namespace
}  // namespace api
