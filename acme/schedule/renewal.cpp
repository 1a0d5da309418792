#include "acme/schedule/renewal.hpp"

#include <algorithm>
#include <array>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::milliseconds;

// A bijective mixer (the finalizer of SplitMix64): neighbouring seeds give unrelated numbers.
std::uint64_t mix(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15U;
  seed = (seed ^ (seed >> 30U)) * 0xbf58476d1ce4e5b9U;
  seed = (seed ^ (seed >> 27U)) * 0x94d049bb133111ebU;
  return seed ^ (seed >> 31U);
}

constexpr milliseconds day = std::chrono::hours(24);

}  // namespace

Time renewal_due(Time not_before, Time not_after, double fraction, std::uint64_t seed) {
  milliseconds const life = std::max(not_after - not_before, milliseconds(0));
  double const share = fraction > 0 && fraction < 1 ? fraction : (life < 10 * day ? 0.5 : 2.0 / 3.0);
  auto const count = static_cast<double>(life.count());
  double const jitter = static_cast<double>(mix(seed) >> 11U) / static_cast<double>(1ULL << 53U);
  return not_before + milliseconds(static_cast<std::int64_t>(count * share - count / 50 * jitter));
}

Suggestion suggestion_of(protocol::RenewalWindow window, std::optional<Suggestion> const& known, std::uint64_t seed) {
  if (known && known->window.start == window.start && known->window.end == window.end) {
    return Suggestion{std::move(window), known->at};
  }
  auto const width = static_cast<double>((window.end - window.start).count());
  double const share = static_cast<double>(mix(seed) >> 11U) / static_cast<double>(1ULL << 53U);
  Time const at = window.start + milliseconds(static_cast<std::int64_t>(width * share));
  return Suggestion{std::move(window), at};
}

Time next_question(std::string_view retry_after, Time now, std::uint64_t seed) {
  if (auto const asked = crypto::parse_retry_after(retry_after, now)) {
    return std::clamp(*asked, now + std::chrono::minutes(1), now + day);
  }
  milliseconds const pause = std::chrono::hours(6);
  return now + pause -
         milliseconds(static_cast<std::int64_t>(mix(seed) % static_cast<std::uint64_t>(pause.count() / 8)));
}

Time renewal_moment(Time own, std::optional<Suggestion> const& suggestion, Time not_before, Time not_after) {
  Time const last = not_after - std::max(not_after - not_before, milliseconds(0)) / 20;
  return std::min(suggestion ? suggestion->at : own, last);
}

milliseconds pause_after(FailureClass failure, unsigned failures, milliseconds first) {
  unsigned const step = std::max(failures, 1U) - 1;
  switch (failure) {
    case FailureClass::deferred:
      return first;
    case FailureClass::transient:
      return std::min(first * (1U << std::min(step, 6U)), std::max(first, milliseconds(std::chrono::hours(1))));
    case FailureClass::not_before:
      return std::min(first * 60, day);
    default:
      break;
  }
  constexpr std::array<unsigned, 4> ladder{1, 10, 100, 1440};
  return std::min(first * ladder[std::min<std::size_t>(step, ladder.size() - 1)], day);
}

}  // namespace acme
