#include "base/store_thread/store_thread.hpp"

#include "tests/base/database/fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <future>
#include <thread>

namespace database::test {
namespace {

namespace asio = boost::asio;

void start(asio::io_context& loop, asio::awaitable<void> task) {
  asio::co_spawn(loop, std::move(task), [](std::exception_ptr const& problem) { EXPECT_EQ(problem, nullptr); });
}

asio::awaitable<void> insert(StoreThread& store, int count, std::vector<Revision>* revisions, bool* on_own_thread) {
  auto const loop_thread = std::this_thread::get_id();
  for (int i = 0; i < count; ++i) {
    std::function<base::Result<Revision>(Database&)> const work = [loop_thread](Database& database) {
      EXPECT_NE(std::this_thread::get_id(), loop_thread);
      return run(database, "INSERT INTO zone (name) VALUES (hex(randomblob(8)))");
    };
    auto revision = co_await store.run<Revision>(work);
    EXPECT_TRUE(revision);
    revisions->push_back(*revision);
  }
  *on_own_thread = std::this_thread::get_id() == loop_thread;
}

TEST(StoreThread, RunsTheWorkElsewhereAndResumesOnTheCallersLoop) {
  asio::io_context loop;
  StoreThread store(open());
  std::vector<Revision> revisions;
  bool on_own_thread = false;
  start(loop, insert(store, 3, &revisions, &on_own_thread));
  loop.run();
  EXPECT_EQ(revisions, (std::vector<Revision>{1, 2, 3}));
  EXPECT_TRUE(on_own_thread);
}

TEST(StoreThread, ServesSeveralLoops) {
  StoreThread store(open());
  std::vector<std::thread> threads;
  std::vector<std::vector<Revision>> seen(4);
  for (auto& revisions : seen) {
    threads.emplace_back([&store, &revisions] {
      asio::io_context loop;
      bool ignored = false;
      start(loop, insert(store, 20, &revisions, &ignored));
      loop.run();
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  std::vector<Revision> every;
  for (auto const& revisions : seen) {
    EXPECT_TRUE(std::is_sorted(revisions.begin(), revisions.end()));
    every.insert(every.end(), revisions.begin(), revisions.end());
  }
  std::sort(every.begin(), every.end());
  ASSERT_EQ(every.size(), 80U);
  EXPECT_EQ(every.front(), 1);
  EXPECT_EQ(every.back(), 80);
}

asio::awaitable<void> count_one(StoreThread& store, std::function<base::Result<int>(Database&)> work, int* accepted,
                                std::string* refusal) {
  auto done = co_await store.run<int>(work);
  if (done.has_value()) {
    ++*accepted;
  } else {
    *refusal = done.error().what();
  }
}

TEST(StoreThread, RefusesMoreThanItsQueueHolds) {
  asio::io_context loop;
  StoreThread store(open());
  std::promise<void> disk_moves_again;
  std::shared_future<void> const stuck = disk_moves_again.get_future().share();
  int accepted = 0;
  std::string refusal;
  std::function<base::Result<int>(Database&)> const waits = [stuck](Database&) -> base::Result<int> {
    stuck.wait();
    return 1;
  };
  constexpr int queue_max = 10000;
  for (int i = 0; i < queue_max + 5; ++i) {
    start(loop, count_one(store, waits, &accepted, &refusal));
  }
  loop.poll();
  EXPECT_EQ(accepted, 0);
  EXPECT_NE(refusal.find("queue is full"), std::string::npos);
  disk_moves_again.set_value();
  loop.run();
  EXPECT_EQ(accepted, queue_max);
}

TEST(StoreThread, FinishesWhatWasQueuedBeforeItEnds) {
  TemporaryFolder const folder;
  asio::io_context loop;
  std::vector<Revision> revisions;
  bool ignored = false;
  {
    StoreThread store(open(folder.url("a.db")));
    start(loop, insert(store, 1, &revisions, &ignored));
    loop.poll();
  }
  auto database = open(folder.url("a.db"));
  EXPECT_EQ(database->revision(), 1);
}

}  // namespace
}  // namespace database::test
