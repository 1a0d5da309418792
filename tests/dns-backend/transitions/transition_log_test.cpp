#include "dns-backend/transitions/transition_log.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

namespace transitions {
namespace {

using namespace std::chrono_literals;
using probe::Health;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class TransitionLogTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = database::Database::open("sqlite://" + folder.file("store.db"), {schema()});
    ASSERT_TRUE(opened) << opened.error().what();
    thread = std::make_unique<database::StoreThread>(std::move(*opened));
    settings.first_retry = 5ms;
    settings.last_retry = 10ms;
  }
  void TearDown() override {
    log.reset();
    loop.restart();
    loop.run_for(2s);
  }
  void begin() { log = std::make_unique<TransitionLog>(loop.get_executor(), *thread, settings, metrics); }
  void add(std::string const& endpoint, std::int64_t at_ms, Health from = Health::up, Health to = Health::down) {
    log->add({0, at_ms, endpoint, from, to, "because", "checks"});
  }
  std::vector<Transition> recent(Query const& query) {
    auto rows = test::run_task(loop, log->recent(query));
    EXPECT_TRUE(rows) << rows.error().what();
    return rows ? *rows : std::vector<Transition>();
  }
  void all_written(std::size_t count) {
    for (int i = 0; i < 1000 && recent({"", 0, 0, 1000}).size() != count; ++i) {
      loop.restart();
      loop.run_one_for(100ms);
    }
    ASSERT_EQ(recent({"", 0, 0, 1000}).size(), count);
  }

  test::TemporaryFolder folder;
  boost::asio::io_context loop;
  process::Metrics metrics;
  LogSettings settings;
  std::unique_ptr<database::StoreThread> thread;
  std::unique_ptr<TransitionLog> log;
};

TEST_F(TransitionLogTest, KeepsAndFindsThem) {
  begin();
  std::int64_t const now = now_ms();
  add("a", now - 30);
  add("b", now - 20, Health::unknown, Health::up);
  add("a", now - 10, Health::down, Health::draining);
  all_written(3);
  std::vector<Transition> const all = recent({});
  EXPECT_EQ(all[0].endpoint, "a");
  EXPECT_EQ(all[0].to, Health::draining);
  EXPECT_EQ(all[0].reason, "because");
  EXPECT_EQ(all[0].decided_by, "checks");
  EXPECT_EQ(all[2].at_ms, now - 30);
  EXPECT_EQ(recent({"b", 0, 0, 10}).size(), 1U);
  EXPECT_EQ(recent({"", all[1].id, 0, 10}).size(), 1U);
  EXPECT_EQ(recent({"", 0, now - 15, 10}).size(), 1U);
  EXPECT_EQ(recent({"", 0, 0, 2}).size(), 2U);
  EXPECT_TRUE(recent({"c", 0, 0, 10}).empty());
}

TEST_F(TransitionLogTest, OldOnesGoAndTooManyGo) {
  settings.kept = std::chrono::hours(1);
  begin();
  add("old", now_ms() - 2 * 3600 * 1000);
  add("new", now_ms());
  all_written(1);
  EXPECT_EQ(recent({})[0].endpoint, "new");
  log.reset();
  settings.rows_max = 5;
  begin();
  for (int i = 0; i < 20; ++i) {
    add("n" + std::to_string(i), now_ms());
  }
  all_written(5);
  EXPECT_EQ(recent({})[0].endpoint, "n19");
}

TEST_F(TransitionLogTest, WhatCannotBeWrittenWaitsAndTheOldestAreLostFirst) {
  settings.waiting_max = 3;
  thread->close();
  begin();
  for (int i = 0; i < 10; ++i) {
    add("n" + std::to_string(i), now_ms());
  }
  for (int i = 0; i < 50; ++i) {
    loop.restart();
    loop.run_one_for(20ms);
  }
  EXPECT_EQ(log->waiting(), 3U);
  EXPECT_THAT(metrics.text(), testing::HasSubstr("navigator_transitions_lost_total 7"));
}

}  // namespace
}  // namespace transitions
