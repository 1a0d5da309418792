// The rise/fall machine of one endpoint, pure: observations and `now` in, transitions out. (gdnsd's counters,
// Cloudflare's names: consecutive_up, consecutive_down.)
//
// Threads: a plain value owned by whoever runs the checks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace probe {

using Time = std::chrono::steady_clock::time_point;

// `draining` is set by an operator: up for whoever is there, no answer for anybody new.
enum class Health : std::uint8_t { unknown = 0, up = 1, down = 2, draining = 3 };
[[nodiscard]] char const* name(Health health);

struct Thresholds {
  unsigned consecutive_up = 1;  // successes before down turns up; the first check of an unknown endpoint decides alone
  unsigned consecutive_down = 1;  // failures before up turns down
  bool operator==(Thresholds const&) const = default;
};

struct Transition {
  Health from;
  Health to;
  Time at;
};

class HealthState {
 public:
  explicit HealthState(Thresholds thresholds, Health initial = Health::unknown)
      : thresholds_(thresholds), health_(initial) {}

  // Counts one check. Returns the transition when this observation crossed a threshold.
  std::optional<Transition> observe(bool success, Time now);

  [[nodiscard]] Health health() const { return health_; }
  // Checks still missing before the state can change (>= 1); TTLs are derived from it.
  [[nodiscard]] unsigned checks_to_change() const;

 private:
  [[nodiscard]] unsigned checks_to_change_after(unsigned streak) const;

  Thresholds thresholds_;
  Health health_;
  unsigned streak_ = 0;  // consecutive observations against the present state
};

}  // namespace probe
