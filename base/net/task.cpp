#include "base/net/task.hpp"

#include "base/process/log.hpp"
#include "base/result/category.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <list>
#include <utility>

namespace net {
namespace {

char const* message_of(int code) {
  switch (static_cast<errc>(code)) {
    case errc::timed_out:
      return "timed out";
    case errc::cancelled:
      return "cancelled";
    case errc::refused:
      return "connection refused";
    case errc::closed:
      return "connection closed";
    case errc::too_large:
      return "too large";
    case errc::bad_message:
      return "message not understood";
    case errc::certificate:
      return "certificate not accepted";
    case errc::unresolved:
      return "name not resolved";
    case errc::in_use:
      return "address in use";
  }
  return "unknown error";
}

void log_failure(std::string const& name, std::exception_ptr const& thrown) {
  if (!thrown) {
    return;
  }
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    if (error.code() != asio::error::operation_aborted) {
      process::log::error("task", "{} ended by an exception: {}", name, error.what());
    }
  } catch (std::exception const& error) {
    process::log::error("task", "{} ended by an exception: {}", name, error.what());
  } catch (...) {
    process::log::error("task", "{} ended by an unknown exception", name);
  }
}

Task<void> keep_exception(Task<void> task, std::shared_ptr<std::exception_ptr> kept) {
  try {
    co_await std::move(task);
  } catch (...) {
    *kept = std::current_exception();
  }
}

// The next co_await would throw anyway; thrown here, the caller touches nothing of an owner that has stopped.
void throw_if(asio::cancellation_state const& state) {
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
}

Task<void> until(std::shared_ptr<asio::steady_timer> timer) {
  co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("net", message_of);
  return {static_cast<int>(code), category};
}

void spawn(asio::any_io_executor executor, std::string name, Task<void> task) {
  auto const report = [name = std::move(name)](std::exception_ptr thrown) { log_failure(name, thrown); };
  asio::co_spawn(executor, std::move(task), report);
}

Task<bool> wait_for(std::chrono::milliseconds duration) {
  auto const executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  auto const [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

struct Signal::State {
  struct Waiter {
    asio::steady_timer timer;
    bool notified = false;
  };
  explicit State(asio::any_io_executor owner) : executor(std::move(owner)) {}

  static Task<bool> wait(std::shared_ptr<State> state, std::chrono::milliseconds deadline) {
    // The waiter leaves the list also when the task is destroyed while it waits.
    struct Entry {
      explicit Entry(State& signal, std::chrono::milliseconds limit)
          : owner(signal), place(signal.waiters.insert(signal.waiters.end(), Waiter{{signal.executor, limit}})) {}
      Entry(Entry const&) = delete;
      Entry& operator=(Entry const&) = delete;
      ~Entry() { owner.waiters.erase(place); }
      State& owner;
      std::list<Waiter>::iterator place;
    };
    Entry entry(*state, deadline);
    co_await entry.place->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    throw_if(cancellation);
    co_return entry.place->notified;
  }

  void wake(bool notified) {
    for (auto& waiter : waiters) {
      waiter.notified = waiter.notified || notified;
      waiter.timer.cancel();
    }
  }

  asio::any_io_executor executor;
  std::list<Waiter> waiters;
};

Signal::Signal(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}
Signal::~Signal() {
  state_->wake(false);
}
void Signal::notify() {
  state_->wake(true);
}
Task<bool> Signal::wait(std::chrono::milliseconds deadline) {
  return State::wait(state_, deadline);
}

namespace detail {

Task<int> first_of(Task<void> first, Task<void> second) {
  using namespace asio::experimental::awaitable_operators;
  auto const thrown = std::make_shared<std::exception_ptr>();
  auto const ignored = std::make_shared<std::exception_ptr>();
  auto one = keep_exception(std::move(first), thrown);
  auto two = keep_exception(std::move(second), ignored);
  auto const winner = co_await (std::move(one) || std::move(two));
  if (*thrown) {
    // When the second won, the first was cancelled and a throw is how it says so.
    if (winner.index() == 0) {
      std::rethrow_exception(*thrown);
    }
  }
  co_return static_cast<int>(winner.index());
}

Task<bool> race(std::chrono::milliseconds deadline, Task<void> task) {
  auto const executor = co_await asio::this_coro::executor;
  auto const timer = std::make_shared<asio::steady_timer>(executor, deadline);
  int const winner = co_await first_of(std::move(task), until(timer));
  auto const state = co_await asio::this_coro::cancellation_state;
  if (winner != 0) {
    throw_if(state);  // the timer ended because we were cancelled: that is not a deadline
  }
  co_return winner == 0;
}

}  // namespace detail
}  // namespace net
