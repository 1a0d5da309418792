#include "base/net/task.hpp"

#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;
using net::Task;

Task<base::Result<int>> answer(int value) {
  co_return value;
}

// Counts itself alive until its end, whichever way it ends.
struct Alive {
  explicit Alive(int& value) : count(value) { ++count; }
  Alive(Alive const&) = delete;
  Alive& operator=(Alive const&) = delete;
  ~Alive() { --count; }
  int& count;
};

Task<base::Result<int>> never(int& alive) {
  Alive const here(alive);
  for (;;) {
    co_await net::wait_for(1h);
  }
  co_return 1;
}

Task<base::Result<int>> throws() {
  co_await net::wait_for(0ms);
  throw std::runtime_error("broken");
}

TEST(Within, YieldsWhatTheTaskYields) {
  boost::asio::io_context loop;
  EXPECT_EQ(test::run_task(loop, net::within(10s, answer(7))).value(), 7);
}

TEST(Within, EndsTheTaskAtTheDeadline) {
  boost::asio::io_context loop;
  int alive = 0;
  auto const result = test::run_task(loop, net::within(5ms, never(alive)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, net::errc::timed_out);
  EXPECT_EQ(alive, 0) << "the task has ended before the result is there";
}

TEST(Within, ThrowsWhatTheTaskThrowsAtOnce) {
  boost::asio::io_context loop;
  EXPECT_THROW(test::run_task(loop, net::within(1h, throws())), std::runtime_error);
}

Task<int> nested(int& alive) {
  auto const inner = co_await net::within(1h, net::within(2h, never(alive)));
  co_return inner ? *inner : -1;
}

Task<base::Result<int>> outer(int& alive, bool& after) {
  int const value = co_await nested(alive);
  after = true;
  co_return value;
}

TEST(Within, CancellationReachesNestedWaitsAndIsNotTakenForADeadline) {
  boost::asio::io_context loop;
  int alive = 0;
  bool after = false;
  auto const result = test::run_task(loop, net::within(5ms, outer(alive, after)));
  EXPECT_EQ(result.error().code, net::errc::timed_out);
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(after) << "a cancelled task unwinds";
}

Task<void> note(net::Signal& signal, std::chrono::milliseconds deadline, std::vector<bool>& out) {
  bool const notified = co_await signal.wait(deadline);
  out.push_back(notified);
}

TEST(Signal, WakesEveryWaiterAndLaterWaitersWaitAgain) {
  boost::asio::io_context loop;
  net::Signal signal(loop.get_executor());
  std::vector<bool> out;
  net::spawn(loop.get_executor(), "one", note(signal, 1h, out));
  net::spawn(loop.get_executor(), "two", note(signal, 1h, out));
  loop.poll();
  EXPECT_TRUE(out.empty());
  signal.notify();
  net::spawn(loop.get_executor(), "late", note(signal, 1ms, out));
  loop.restart();
  loop.run();
  EXPECT_THAT(out, testing::ElementsAre(true, true, false));
}

TEST(Signal, WaitersEndWhenTheSignalIsDestroyed) {
  boost::asio::io_context loop;
  std::vector<bool> out;
  {
    net::Signal signal(loop.get_executor());
    net::spawn(loop.get_executor(), "one", note(signal, 1h, out));
    loop.poll();
  }
  loop.restart();
  loop.run();
  EXPECT_THAT(out, testing::ElementsAre(false));
}

Task<base::Result<int>> waits_for(net::Signal& signal, bool& after) {
  bool const notified = co_await signal.wait(1h);
  after = true;
  co_return notified ? 1 : 0;
}

TEST(Signal, ACancelledWaiterUnwindsAtOnce) {
  boost::asio::io_context loop;
  net::Signal signal(loop.get_executor());
  bool after = false;
  EXPECT_EQ(test::run_task(loop, net::within(1ms, waits_for(signal, after))).error().code, net::errc::timed_out);
  EXPECT_FALSE(after);
  signal.notify();
}

Task<void> fails() {
  co_await net::wait_for(0ms);
  throw std::runtime_error("something broke");
}

TEST(Spawn, LogsAnExceptionWithTheNameOfTheTaskAndTheLoopGoesOn) {
  boost::asio::io_context loop;
  testing::internal::CaptureStderr();
  net::spawn(loop.get_executor(), "monitor ams1", fails());
  loop.run();
  auto const out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, testing::HasSubstr("monitor ams1"));
  EXPECT_THAT(out, testing::HasSubstr("something broke"));
}

TEST(Spawn, AWaitingTaskIsDestroyedWithItsLoop) {
  int alive = 0;
  struct Run {
    static Task<void> wait(int& count) {
      auto const result = co_await never(count);
      static_cast<void>(result);
    }
  };
  {
    boost::asio::io_context loop;
    net::spawn(loop.get_executor(), "waits", Run::wait(alive));
    loop.poll();
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
