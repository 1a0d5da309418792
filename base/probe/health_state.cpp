#include "base/probe/health_state.hpp"

#include <algorithm>

namespace probe {
namespace {

// A threshold of 0 would never be crossed; it means the same as 1.
unsigned at_least_one(unsigned threshold) {
  return std::max(threshold, 1U);
}

}  // namespace

char const* name(Health health) {
  switch (health) {
    case Health::unknown:
      return "unknown";
    case Health::up:
      return "up";
    case Health::down:
      return "down";
    case Health::draining:
      return "draining";
  }
  return "unknown";
}

std::optional<Transition> HealthState::observe(bool success, Time now) {
  Health const observed = success ? Health::up : Health::down;
  if (observed == health_) {
    streak_ = 0;
    return std::nullopt;
  }
  ++streak_;
  if (checks_to_change_after(streak_) > 0) {
    return std::nullopt;
  }
  Transition const transition{health_, observed, now};
  health_ = observed;
  streak_ = 0;
  return transition;
}

unsigned HealthState::checks_to_change() const {
  return checks_to_change_after(streak_);
}

unsigned HealthState::checks_to_change_after(unsigned streak) const {
  unsigned needed = 1;  // the first check of an unknown endpoint decides alone
  if (health_ == Health::up) {
    needed = at_least_one(thresholds_.consecutive_down);
  } else if (health_ == Health::down) {
    needed = at_least_one(thresholds_.consecutive_up);
  }
  return needed - std::min(streak, needed);
}

}  // namespace probe
