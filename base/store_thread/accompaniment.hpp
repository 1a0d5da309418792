// What is written along with whatever a task writes: in the transaction of its first write that commits, so that both
// are there after a crash, or neither.
//
//   auto companion = std::make_shared<database::Companion>(write_a_row);
//   auto answer = co_await database::accompanied(companion, std::move(task));
//   companion->take_leave();
//
// The task carries it in its executor, and with it every task it awaits: a StoreThread that runs work for one of them
// lends it to the Database for that work. Tasks that it spawns on an executor of their own go without.
//
// Threads: take_leave() and committed() may be called from any thread; the write runs on the store thread.
#pragma once

#include "base/database/database.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace database {

// The loop's executor with a companion. All else is the loop's own.
class AccompaniedExecutor {
 public:
  AccompaniedExecutor(boost::asio::any_io_executor inner, std::shared_ptr<Companion> companion) noexcept
      : inner_(std::move(inner)), companion_(std::move(companion)) {}

  [[nodiscard]] std::shared_ptr<Companion> const& companion() const noexcept { return companion_; }

  template <class Property>
  auto query(Property const& property) const
      -> std::enable_if_t<boost::asio::can_query<boost::asio::any_io_executor const&, Property>::value,
                          decltype(boost::asio::query(std::declval<boost::asio::any_io_executor const&>(),
                                                      std::declval<Property const&>()))> {
    return boost::asio::query(inner_, property);
  }
  template <class Property>
  auto require(Property const& property) const
      -> std::enable_if_t<boost::asio::can_require<boost::asio::any_io_executor const&, Property>::value,
                          AccompaniedExecutor> {
    return {boost::asio::require(inner_, property), companion_};
  }
  template <class Property>
  auto prefer(Property const& property) const
      -> std::enable_if_t<boost::asio::can_prefer<boost::asio::any_io_executor const&, Property>::value,
                          AccompaniedExecutor> {
    return {boost::asio::prefer(inner_, property), companion_};
  }
  template <class Function>
  void execute(Function&& function) const {
    inner_.execute(std::forward<Function>(function));
  }
  friend bool operator==(AccompaniedExecutor const& a, AccompaniedExecutor const& b) noexcept {
    return a.companion_ == b.companion_ && a.inner_ == b.inner_;
  }
  friend bool operator!=(AccompaniedExecutor const& a, AccompaniedExecutor const& b) noexcept { return !(a == b); }

 private:
  boost::asio::any_io_executor inner_;
  std::shared_ptr<Companion> companion_;
};

// Runs the task on the same loop; what it throws is thrown here.
template <class T>
boost::asio::awaitable<T> accompanied(std::shared_ptr<Companion> companion, boost::asio::awaitable<T> task) {
  boost::asio::any_io_executor loop = co_await boost::asio::this_coro::executor;
  AccompaniedExecutor const executor(std::move(loop), std::move(companion));
  co_return co_await boost::asio::co_spawn(executor, std::move(task), boost::asio::use_awaitable);
}

}  // namespace database
