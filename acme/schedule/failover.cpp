#include "acme/schedule/failover.hpp"

#include <algorithm>
#include <chrono>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::minutes;

constexpr unsigned failures_to_open = 3;
constexpr minutes first_pause{1};
constexpr minutes last_pause{30};

}  // namespace

Breaker after_outcome(Breaker breaker, FailureClass failure, Time began, Time now) {
  bool const counted = breaker.failed_at && began <= *breaker.failed_at;
  if (counted && (failure == FailureClass::transient || failure == FailureClass::deferred)) {
    return breaker;
  }
  breaker.trying = false;
  if (failure == FailureClass::deferred) {
    return breaker;  // the CA was not asked
  }
  if (failure != FailureClass::transient) {
    return Breaker{};  // it answered, whatever it said
  }
  breaker.failed_at = now;
  if (++breaker.failures >= failures_to_open) {
    auto const doublings = std::min(breaker.failures - failures_to_open, 5U);
    breaker.open_until = now + std::min<minutes>(first_pause * (1 << doublings), last_pause);
  }
  return breaker;
}

std::optional<Time> closed_from(Breaker const& breaker, Time now) {
  if (!breaker.open_until) {
    return std::nullopt;
  }
  if (*breaker.open_until > now) {
    return breaker.open_until;
  }
  // Its outcome decides; until then nobody else finds out by waiting in line.
  return breaker.trying ? std::optional(now + first_pause) : std::nullopt;
}

bool concerns_one_authority(FailureClass failure) {
  switch (failure) {
    case FailureClass::transient:
    case FailureClass::not_before:
    case FailureClass::policy:
    case FailureClass::account:
    case FailureClass::ours:
      return true;
    case FailureClass::none:
    case FailureClass::deferred:
    case FailureClass::validation:
      break;
  }
  return false;
}

Choice choose_authority(std::vector<Breaker> const& breakers, std::vector<std::optional<Time>> const& parked,
                        std::optional<Time> everywhere, Time now) {
  if (everywhere && *everywhere > now) {
    return {std::nullopt, everywhere};
  }
  Choice choice;
  for (std::size_t i = 0; i < breakers.size(); ++i) {
    Time const ready = std::max(closed_from(breakers[i], now).value_or(now), parked[i].value_or(now));
    if (ready <= now) {
      return {i, std::nullopt};
    }
    choice.wake = std::min(choice.wake.value_or(ready), ready);
  }
  return choice;
}

}  // namespace acme
