// Health of every endpoint, two atomic words each: written by the monitor on the control loop, read by lookups without
// a lock. A flip is one store.
//
//   state:    | up since, or when it left "up" (62 bits, Unix milliseconds; 0: never) | health (2) |
//   outlook:  | load in thousandths (16 bits; 65535: unknown) | seconds before it can flip (16 bits; 65535: unknown) |
//
// Slots are given out once per endpoint name; at most 65,536. One is reused only when whoever took it gives it back
// before anything else heard of it (a write that was refused).
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
#include <vector>

namespace pool {

class HealthTable {
 public:
  static constexpr std::uint32_t slots_max = 65536;
  static constexpr std::uint32_t load_unknown = 65535;
  static constexpr std::uint32_t stable_unknown = 65535;
  static constexpr std::int64_t since_ever_ms = 1000;

  // One slot as one load of it saw it.
  struct View {
    probe::Health health = probe::Health::unknown;
    // Unix time: the endpoint with the greatest was up last; 0: it is up, or was never seen so. For AllDown::keep_last.
    std::int64_t left_up_ms = 0;
    std::uint32_t up_since_s = 0;  // Unix time; 0: not up; 1 (since_ever_ms): it was up when it was first checked
  };

  HealthTable();
  // The slot of an endpoint name; made on first use. ASSERTs below slots_max.
  std::uint32_t slot(std::string const& endpoint);
  // Nothing refers to the slot of this name: the next new name may get it, as if it had never been used.
  void give_back(std::string const& endpoint);
  [[nodiscard]] View view(std::uint32_t slot) const;
  [[nodiscard]] probe::Health get(std::uint32_t slot) const { return view(slot).health; }
  [[nodiscard]] std::int64_t left_up_ms(std::uint32_t slot) const { return view(slot).left_up_ms; }
  // How long no check can change the health; 0: the next one may; stable_unknown: nobody said.
  [[nodiscard]] std::uint32_t stable_s(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t load_permille(std::uint32_t slot) const;

  // `now_ms`: Unix time of the change, or since_ever_ms. What leaves "up" leaves it after whatever did before, though
  // the clock was set back meanwhile.
  void set(std::uint32_t slot, probe::Health health, std::int64_t now_ms = 0);
  // Somebody else, or this process before it was restarted, saw it leave "up" then. True when that is later than what
  // was known here; nothing changes while it is up.
  bool left_up(std::uint32_t slot, std::int64_t at_ms);
  // After each check: how long no further one can change the health.
  void set_stable(std::uint32_t slot, std::uint32_t seconds);
  void set_load(std::uint32_t slot, std::uint32_t permille);

 private:
  std::unique_ptr<std::atomic<std::uint64_t>[]> states_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> outlooks_;
  std::map<std::string, std::uint32_t> slots_;
  std::vector<std::uint32_t> free_;  // given back; below next_
  std::uint32_t next_ = 0;
  std::int64_t last_fall_ms_ = 0;
};

}  // namespace pool
