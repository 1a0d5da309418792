// Runs one coroutine to its end on an io_context of the test's own thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace test {

// Stops the loop when the task ended, so that servers of the test may stay open. Throws what the task threw.
template <class T>
T run_task(boost::asio::io_context& loop, boost::asio::awaitable<T> task) {
  std::optional<T> out;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    if (!thrown) {
      out.emplace(std::move(value));
    }
    loop.stop();
  });
  loop.restart();
  loop.run();
  if (failure) {
    std::rethrow_exception(failure);
  }
  if (!out) {
    throw std::logic_error("the loop ran dry before the task ended");
  }
  return std::move(*out);
}

inline void run_task(boost::asio::io_context& loop, boost::asio::awaitable<void> task) {
  std::exception_ptr failure;
  bool ended = false;
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown) {
    failure = thrown;
    ended = true;
    loop.stop();
  });
  loop.restart();
  loop.run();
  if (failure) {
    std::rethrow_exception(failure);
  }
  if (!ended) {
    throw std::logic_error("the loop ran dry before the task ended");
  }
}

}  // namespace test
