#include "base/store_thread/store_thread.hpp"

#include "base/store_thread/accompaniment.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <future>

namespace database {
namespace asio = boost::asio;

namespace {
constexpr std::size_t queue_max = 10000;
}  // namespace

struct StoreThread::State {
  explicit State(std::unique_ptr<Database> opened) : database(std::move(opened)), thread(1) {}

  std::unique_ptr<Database> database;  // the store thread's; null once closed
  std::atomic<std::size_t> waiting{0};
  asio::thread_pool thread;

  // Runs the work on the store thread, then resumes the coroutine on the loop it came from. A plain functor: its
  // arguments are moved into asio's own coroutine frame.
  struct Initiate {
    template <class Handler>
    void operator()(Handler&& handler, State* state, std::function<void(Database&)> work,
                    std::shared_ptr<Companion> companion) const {
      auto loop = asio::get_associated_executor(handler);
      // The guard keeps the caller's loop running while its only work is over here.
      auto guard = asio::make_work_guard(loop);
      auto job = [state, work = std::move(work), companion = std::move(companion), loop, guard = std::move(guard),
                  resume = std::forward<Handler>(handler)]() mutable {
        if (state->database != nullptr) {
          state->database->accompany(std::move(companion));
          work(*state->database);
          state->database->accompany(nullptr);
        }
        work = nullptr;
        state->waiting.fetch_sub(1, std::memory_order_relaxed);
        asio::post(loop, [resume = std::move(resume)]() mutable { std::move(resume)(true); });
      };
      asio::post(state->thread, std::move(job));
    }
  };
};

StoreThread::StoreThread(std::unique_ptr<Database> database) : state_(std::make_unique<State>(std::move(database))) {}

StoreThread::~StoreThread() {
  state_->thread.join();
}

void StoreThread::close() {
  std::promise<void> closed;
  asio::post(state_->thread, [this, &closed] {
    state_->database.reset();
    closed.set_value();
  });
  closed.get_future().get();
}

boost::asio::awaitable<bool> StoreThread::run_erased(std::function<void(Database&)> work) {
  if (state_->waiting.fetch_add(1, std::memory_order_relaxed) >= queue_max) {
    state_->waiting.fetch_sub(1, std::memory_order_relaxed);
    co_return false;
  }
  asio::any_io_executor const loop = co_await asio::this_coro::executor;
  auto const* const own = loop.target<AccompaniedExecutor>();
  std::shared_ptr<Companion> companion = own == nullptr ? nullptr : own->companion();
  co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(bool)>(
      State::Initiate{}, asio::use_awaitable, state_.get(), std::move(work), std::move(companion));
}

}  // namespace database
