// Health of every endpoint, two atomic words each: written by the monitor on the control loop, read by lookups without
// a lock. A flip is one store.
//
//   state:    | up since, Unix seconds (32 bits; 0: not up) | left "up" (30 bits, counts up; 0: never) | health (2) |
//   outlook:  | load in thousandths (16 bits; 65535: unknown) | seconds before it can flip (16 bits; 65535: unknown) |
//
// Slots are given out once per endpoint name and never reused while the process lives; at most 65,536.
//
// Threads: what reads, from any thread; what writes, and slot(), from the control loop.
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
  static constexpr std::uint32_t load_unknown = 65535;
  static constexpr std::uint32_t stable_unknown = 65535;
  static constexpr std::uint32_t since_ever = 1;

  // One slot as one load of it saw it.
  struct View {
    probe::Health health = probe::Health::unknown;
    // The endpoint with the greatest number was up last; 0: never seen up and then not up. Used by AllDown::keep_last.
    std::uint32_t left_up = 0;
    std::uint32_t up_since_s = 0;  // Unix time; 0: not up; since_ever: it was up when it was first checked
  };

  HealthTable();
  // The slot of an endpoint name; made on first use. ASSERTs below slots_max.
  std::uint32_t slot(std::string const& endpoint);
  [[nodiscard]] View view(std::uint32_t slot) const;
  [[nodiscard]] probe::Health get(std::uint32_t slot) const { return view(slot).health; }
  [[nodiscard]] std::uint32_t left_up(std::uint32_t slot) const { return view(slot).left_up; }
  // How long no check can change the health; 0: the next one may; stable_unknown: nobody said.
  [[nodiscard]] std::uint32_t stable_s(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t load_permille(std::uint32_t slot) const;

  // `now_s`: Unix time of the change, or since_ever; kept as up_since_s when it turns up.
  void set(std::uint32_t slot, probe::Health health, std::uint32_t now_s = 0);
  // After each check: how long no further one can change the health.
  void set_stable(std::uint32_t slot, std::uint32_t seconds);
  void set_load(std::uint32_t slot, std::uint32_t permille);

 private:
  std::unique_ptr<std::atomic<std::uint64_t>[]> states_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> outlooks_;
  std::map<std::string, std::uint32_t> slots_;
  std::uint32_t falls_ = 0;
};

}  // namespace pool
