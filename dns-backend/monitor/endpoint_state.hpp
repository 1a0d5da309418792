// What one endpoint is taken for: what its checks say, what the sites decided together, if they do, and what an
// operator says above that. Pure: observations, orders and the time in, transitions out.
//
// Threads: a plain value owned by the monitor.
#pragma once

#include "base/probe/health_state.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace monitor {

// The same moment on both clocks: intervals are counted on the steady one, operators and the table mean the wall's.
struct Instant {
  probe::Time steady;
  std::int64_t unix_ms = 0;
};

enum class Forced : std::uint8_t { none, up, down, draining };
[[nodiscard]] char const* name(Forced forced);

// An operator's order, above whatever the checks say; they go on and stay visible. One that drains and fails is down.
struct Override {
  Forced to = Forced::none;
  std::int64_t until_ms = 0;  // Unix time from which it does not count any more; 0: until it is taken back
  std::string reason = {};
  [[nodiscard]] bool counts(std::int64_t now_ms) const {
    return to != Forced::none && (until_ms == 0 || now_ms < until_ms);
  }
  bool operator==(Override const&) const = default;
};

class EndpointState {
 public:
  static constexpr std::uint32_t stable_s_max = 65535;
  EndpointState(probe::Thresholds thresholds, probe::Health observed) : EndpointState(thresholds, observed, observed) {}
  // `effective`: what is in the table, when only the thresholds change.
  EndpointState(probe::Thresholds thresholds, probe::Health observed, probe::Health effective)
      : thresholds_(thresholds), checks_(thresholds, observed), effective_(effective) {}

  // Each returns the transition of the *effective* health, if it changed.
  std::optional<probe::Transition> observe(bool success, Instant now);
  std::optional<probe::Transition> force(Override order, Instant now);
  // What several sites decided (dns-backend/vantage), which counts instead of what the checks here say; nothing: they
  // do. `stable_s`: the others may decide again after so long, whatever the checks here say.
  std::optional<probe::Transition> judge(std::optional<probe::Health> judged, Instant now,
                                         std::uint32_t stable_s = stable_s_max);
  // Looks at the clock: an order may have ended.
  std::optional<probe::Transition> settle(Instant now);

  [[nodiscard]] probe::Health observed() const { return checks_.health(); }
  [[nodiscard]] probe::Health effective() const { return effective_; }  // as of the last call
  [[nodiscard]] std::optional<probe::Health> judged() const { return judged_; }
  [[nodiscard]] std::uint32_t judged_stable_s() const { return judged_stable_s_; }
  [[nodiscard]] Override const& order() const { return order_; }
  [[nodiscard]] probe::Thresholds const& thresholds() const { return thresholds_; }
  [[nodiscard]] unsigned checks_to_change() const { return checks_.checks_to_change(); }

  // For how many whole seconds no check can change the effective health: the checks still missing, an interval each, of
  // which the next comes in `gap`, less the jitter of one, and no longer than the sites' judgement; an order stands
  // until its end. At most 65,535.
  [[nodiscard]] std::uint32_t stable_s(std::chrono::milliseconds interval, std::chrono::milliseconds gap,
                                       std::int64_t now_ms) const;

 private:
  probe::Thresholds thresholds_;
  probe::HealthState checks_;
  std::optional<probe::Health> judged_;
  std::uint32_t judged_stable_s_ = stable_s_max;
  Override order_;
  probe::Health effective_;
};

}  // namespace monitor
