// The one thread that owns the Database, and the way every loop talks to it: a function goes over, a Result comes back.
//
// The queue is bounded: more than 10,000 waiting calls fail at once with errc::failed, so that a stuck disk shows as
// errors and not as memory.
//
// Threads: `run` may be awaited from any loop; the function runs on the store thread, the coroutine resumes on its own.
#pragma once

#include "base/database/database.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace database {

class StoreThread {
 public:
  explicit StoreThread(std::unique_ptr<Database> database);
  ~StoreThread();  // finishes what was queued, then joins
  StoreThread(StoreThread const&) = delete;
  StoreThread& operator=(StoreThread const&) = delete;

  // Finishes what was queued and closes the database, so that another process may open it; every later call fails with
  // errc::failed. Blocks meanwhile.
  void close();

  // co_await store.run<Rows>([=](Database& database) { return database.query(...); })
  // The function must own all it uses. Make it a named local before the co_await expression (see net/task.hpp).
  template <class T>
  boost::asio::awaitable<base::Result<T>> run(std::function<base::Result<T>(Database&)> work) {
    auto slot = std::make_shared<std::optional<base::Result<T>>>();
    std::function<void(Database&)> const erased = [slot, work = std::move(work)](Database& database) {
      slot->emplace(work(database));
    };
    bool const accepted = co_await run_erased(erased);
    if (!accepted || !slot->has_value()) {
      co_return base::fail(errc::failed, "the store's queue is full, or the store was closed");
    }
    co_return std::move(**slot);
  }

 private:
  boost::asio::awaitable<bool> run_erased(std::function<void(Database&)> work);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace database
