// Health of every endpoint, one atomic word each: written by the monitor on the control loop, read by lookups without
// a lock. A flip is one store.
//
//   word of a slot:  | when it was last seen leaving "up" (30 bits, counts up; 0: never) | health (2 bits) |
//
// Slots are given out once per endpoint name and never reused while the process lives; at most 65,536.
//
// Threads: get() and left_up() from any thread; set() and slot() from the control loop.
#pragma once

#include "base/probe/health_state.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace pool {

class HealthTable {
 public:
  static constexpr std::uint32_t slots_max = 65536;
  HealthTable();
  // The slot of an endpoint name; made on first use. ASSERTs below slots_max.
  std::uint32_t slot(std::string const& endpoint);
  [[nodiscard]] probe::Health get(std::uint32_t slot) const {
    return static_cast<probe::Health>(words_[slot].load(std::memory_order_acquire) & health_mask);
  }
  // The endpoint with the greatest number was up last; 0: never seen up and then not up. Used by AllDown::keep_last.
  [[nodiscard]] std::uint32_t left_up(std::uint32_t slot) const {
    return words_[slot].load(std::memory_order_acquire) >> health_bits;
  }
  void set(std::uint32_t slot, probe::Health health);

 private:
  static constexpr unsigned health_bits = 2;
  static constexpr std::uint32_t health_mask = (1U << health_bits) - 1;

  std::unique_ptr<std::atomic<std::uint32_t>[]> words_;
  std::map<std::string, std::uint32_t> slots_;
  std::uint32_t falls_ = 0;
};

}  // namespace pool
