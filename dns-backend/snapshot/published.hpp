// One writer publishes, every loop reads with one atomic load: a generation counter beside a mutex-guarded pointer, and
// a loop-local copy that is refreshed only when the generation moved (0.4 ns a read; std::atomic<std::shared_ptr> is
// not lock-free in libstdc++ 12). Idea: dnsdist's sholder.hh.
//
// Threads: publish() from one thread at a time; a Reader belongs to one loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace store {

template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<T const> first) : value_(std::move(first)) {}

  void publish(std::shared_ptr<T const> next) {
    {
      std::lock_guard const lock(mutex_);
      value_.swap(next);
    }
    generation_.fetch_add(1, std::memory_order_release);
    // `next` (the old value) dies here, outside the lock.
  }
  [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  [[nodiscard]] std::shared_ptr<T const> copy() const {
    std::lock_guard const lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<T const> value_;
  std::atomic<std::uint64_t> generation_{1};
};

template <class T>
class Reader {
 public:
  explicit Reader(Published<T> const& source) : source_(source) {}
  // The newest value; the reference stays good until the next call.
  std::shared_ptr<T const> const& get() {
    std::uint64_t const now = source_.generation();
    if (now != seen_) {
      local_ = source_.copy();
      seen_ = now;
    }
    return local_;
  }

 private:
  Published<T> const& source_;
  std::uint64_t seen_ = 0;
  std::shared_ptr<T const> local_;
};

}  // namespace store
