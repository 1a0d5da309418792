// Coroutines with a deadline, and the only two ways to start one.
//
// Rules that g++ 12 and Boost 1.81 impose, each reproduced with a sanitizer: a coroutine is a named function with
// by-value parameters (a capturing lambda made inside a co_await expression is freed twice); nothing is spawned
// detached (an exception would vanish); a wait without `within` is a defect.
//
// Threads: a Task runs on the executor it was spawned on and belongs to that loop alone.
#pragma once

#include "base/result/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

enum class errc {
  timed_out = 1,  // the deadline passed
  cancelled,      // the owner stopped
  refused,        // connect failed
  closed,         // the peer closed in the middle
  too_large,      // a limit on size was exceeded
  bad_message,    // not HTTP, not TLS, not what was expected
  certificate,    // the peer's certificate was not accepted
  unresolved,     // a host name has no address
  in_use,         // the address or socket path is taken
};
boost::system::error_code make_error_code(errc code);

// Starts `task` on `executor`. An exception that escapes it is logged with `name` and ends only that task. May be
// called from any thread: this is how work crosses onto another loop.
void spawn(asio::any_io_executor executor, std::string name, Task<void> task);

// Waits; false when the task was cancelled meanwhile. The timer of a loop, never a substitute for an observation.
Task<bool> wait_for(std::chrono::milliseconds duration);

// One-shot or repeated wake-up between tasks of the same loop: `notify` wakes every waiter. `wait` returns true when
// notified, false at the deadline or when the Signal is destroyed; a cancelled task unwinds from it by an exception.
// Not thread-safe: post to the owner's executor from other threads.
class Signal {
 public:
  explicit Signal(asio::any_io_executor executor);
  ~Signal();
  Signal(Signal const&) = delete;
  Signal& operator=(Signal const&) = delete;
  void notify();
  Task<bool> wait(std::chrono::milliseconds deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// within(deadline, task): the result of the task, or errc::timed_out; the task is cancelled at the deadline. Built on
// awaitable_operators ||, because asio::cancel_after does not exist in Boost 1.81.
// Use this form everywhere; T is what the task yields inside its Result. The task is waited for after its cancellation,
// so that nothing it refers to is destroyed under it: it must react to cancellation, as all of Asio's and ours do. What
// the task throws is thrown here.
template <class T>
asio::awaitable<base::Result<T>> within(std::chrono::milliseconds deadline, asio::awaitable<base::Result<T>> task);

namespace detail {
// Runs `task` (which stores its own result) against a timer; true when the task finished first. In task.cpp, so that
// the operators' templates are compiled once.
asio::awaitable<bool> race(std::chrono::milliseconds deadline, asio::awaitable<void> task);

// Runs both; 0 when `first` finished first, 1 when `second` did. The other one is cancelled and waited for. Throws what
// `first` threw; what `second` throws counts as finished.
asio::awaitable<int> first_of(asio::awaitable<void> first, asio::awaitable<void> second);

template <class T>
asio::awaitable<void> store_result(asio::awaitable<base::Result<T>> task,
                                   std::shared_ptr<std::unique_ptr<base::Result<T>>> slot) {
  *slot = std::make_unique<base::Result<T>>(co_await std::move(task));
}
}  // namespace detail

template <class T>
asio::awaitable<base::Result<T>> within(std::chrono::milliseconds deadline, asio::awaitable<base::Result<T>> task) {
  auto slot = std::make_shared<std::unique_ptr<base::Result<T>>>();
  bool const finished = co_await detail::race(deadline, detail::store_result<T>(std::move(task), slot));
  if (!finished || *slot == nullptr) {
    co_return base::fail(errc::timed_out, "no answer within " + std::to_string(deadline.count()) + " ms");
  }
  co_return std::move(**slot);
}

}  // namespace net

template <>
struct boost::system::is_error_code_enum<net::errc> : std::true_type {};
