#include "dns-backend/monitor/endpoint_state.hpp"

#include <algorithm>
#include <utility>

namespace monitor {
namespace {

using probe::Health;

Health health_of(Forced forced, Health observed) {
  switch (forced) {
    case Forced::up:
      return Health::up;
    case Forced::down:
      return Health::down;
    case Forced::draining:
      // One that fails is down, drained or not: it must not be answered as the better of two evils.
      return observed == Health::down ? Health::down : Health::draining;
    case Forced::none:
      break;
  }
  return observed;
}

}  // namespace

char const* name(Forced forced) {
  switch (forced) {
    case Forced::none:
      return "none";
    case Forced::up:
      return "up";
    case Forced::down:
      return "down";
    case Forced::draining:
      return "draining";
  }
  return "none";
}

std::optional<probe::Transition> EndpointState::observe(bool success, Instant now) {
  checks_.observe(success, now.steady);
  return settle(now);
}

std::optional<probe::Transition> EndpointState::force(Override order, Instant now) {
  order_ = std::move(order);
  return settle(now);
}

std::optional<probe::Transition> EndpointState::judge(std::optional<Health> judged, Instant now,
                                                      std::uint32_t stable_s) {
  judged_ = judged;
  judged_stable_s_ = stable_s;
  return settle(now);
}

std::optional<probe::Transition> EndpointState::settle(Instant now) {
  if (!order_.counts(now.unix_ms)) {
    order_ = Override();
  }
  Health const before = effective_;
  effective_ = health_of(order_.to, judged_.value_or(checks_.health()));
  if (effective_ == before) {
    return std::nullopt;
  }
  return probe::Transition{before, effective_, now.steady};
}

std::uint32_t EndpointState::stable_s(std::chrono::milliseconds interval, std::chrono::milliseconds gap,
                                      std::int64_t now_ms) const {
  constexpr std::int64_t seconds_max = stable_s_max;
  std::int64_t stable_ms = seconds_max * 1000;
  if (order_.counts(now_ms) && order_.to != Forced::draining) {
    stable_ms = order_.until_ms == 0 ? stable_ms : order_.until_ms - now_ms;
  } else {
    stable_ms = (checks_.checks_to_change() - std::int64_t{1}) * interval.count() + gap.count() - interval.count() / 10;
    stable_ms = std::min(stable_ms, std::int64_t{judged_stable_s_} * 1000);
  }
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(stable_ms / 1000, 0, seconds_max));
}

}  // namespace monitor
