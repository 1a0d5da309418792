#include "routing/cost/ladder.hpp"

#include "base/result/result.hpp"

#include <algorithm>
#include <cmath>

namespace cost {
namespace {

constexpr double most_cost = 65535;  // 16 bits in a Router-LSA (RFC 2328, A.4.2)

double seconds_between(Time from, Time to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Settings Settings::with_hold(std::chrono::seconds hold) {
  Settings out;
  auto const in_proportion = [&](std::chrono::seconds& one) {
    one = std::max(std::chrono::seconds(1), one * hold.count() / out.hold.count());
  };
  for (auto* one : {&out.window, &out.smoothing, &out.link_pause, &out.round_pause, &out.quiet}) {
    in_proportion(*one);
  }
  out.hold = hold;
  return out;
}

Ladder::Ladder(Settings const& settings) : margin_(settings.margin) {
  ASSERT(settings.rungs > 0 && settings.factor > 1 && settings.first_rung.count() > 0);
  double bound = static_cast<double>(settings.first_rung.count());
  double cost = settings.lowest_cost;
  for (std::size_t i = 0; i < settings.rungs; ++i) {
    bounds_us_.push_back(bound);
    costs_.push_back(static_cast<std::uint32_t>(std::lround(std::clamp(cost, 1.0, most_cost))));
    bound *= settings.factor;
    cost *= settings.factor;
  }
}

std::size_t Ladder::rung(RoundTrip latency) const {
  // The last bound is not looked at: whatever is beyond the one before it is on the last rung.
  auto const found = std::lower_bound(bounds_us_.begin(), bounds_us_.end() - 1, static_cast<double>(latency.count()));
  return static_cast<std::size_t>(found - bounds_us_.begin());
}

std::size_t Ladder::rung_from(std::size_t present, RoundTrip latency) const {
  auto const us = static_cast<double>(latency.count());
  bool const too_slow = present + 1 < size() && us > bounds_us_[present] * (1 + margin_);
  bool const too_fast = present > 0 && us < bounds_us_[present - 1] * (1 - margin_);
  return too_slow || too_fast ? rung(latency) : present;
}

void Latency::observe(Settings const& settings, RoundTrip sample, Time now) {
  if (!window_minimum_) {
    window_minimum_ = sample;
    window_start_ = now;
  } else if (now - window_start_ >= settings.window) {
    auto const minimum = static_cast<double>(window_minimum_->count());
    // Weight by the time since the last minimum: a gap in the measurements makes the new one count for more.
    double const weight =
        average_us_ ? 1 - std::exp(-seconds_between(average_at_, now) / static_cast<double>(settings.smoothing.count()))
                    : 1;
    average_us_ = average_us_.value_or(minimum) + weight * (minimum - average_us_.value_or(minimum));
    average_at_ = now;
    window_minimum_ = sample;
    window_start_ = now;
  } else {
    window_minimum_ = std::min(*window_minimum_, sample);
  }
  last_sample_ = now;
}

std::optional<RoundTrip> Latency::value(Settings const& settings, Time now) const {
  if (!average_us_ || now - last_sample_ > settings.stale) {
    return std::nullopt;
  }
  return RoundTrip(std::llround(*average_us_));
}

void Costs::add(std::string const& link, std::string const& a, std::string const& b, std::uint32_t cost) {
  auto const [found, is_new] = links_.try_emplace(link);
  found->second.a = a;
  found->second.b = b;
  if (is_new) {
    found->second.cost = cost;
    // A cost that is on the ladder was decided here before: its rung goes on, hysteresis included.
    for (std::size_t rung = 0; rung < ladder_.size(); ++rung) {
      if (ladder_.cost(rung) == cost) {
        found->second.rung = rung;
        break;
      }
    }
  }
}

void Costs::remove(std::string const& link) {
  links_.erase(link);
}

void Costs::observe(std::string const& link, std::string const& end, RoundTrip sample, Time now) {
  auto const found = links_.find(link);
  if (found == links_.end() || sample.count() < 0) {
    return;
  }
  if (end == found->second.a) {
    found->second.from_a.observe(settings_, sample, now);
  } else if (end == found->second.b) {
    found->second.from_b.observe(settings_, sample, now);
  }
}

std::optional<RoundTrip> Costs::latency(State const& state, Time now) const {
  auto const a = state.from_a.value(settings_, now);
  auto const b = state.from_b.value(settings_, now);
  if (!a && !b) {
    return std::nullopt;
  }
  return std::max(a.value_or(RoundTrip(0)), b.value_or(RoundTrip(0)));
}

// Keeps what is asked for, and the least of it in each fifth of `hold`. Of a link that was never measured the quickest
// counts as the least, because queues only add.
void Costs::follow(State& state, Time now) {
  auto const measured = latency(state, now);
  if (!measured || (state.rung && ladder_.rung_from(*state.rung, *measured) == *state.rung)) {
    state.wanted.reset();  // nobody knows, or content
    return;
  }
  auto const asked = ladder_.rung(*measured);
  bool const up = !state.rung || asked > *state.rung;
  bool const same_way = state.wanted && (!state.rung || (*state.wanted > *state.rung) == up);
  if (!same_way) {
    state.wanted_since = now;
    state.least = {};
    state.fifth = 0;
  }
  state.wanted = asked;
  auto const fifth = (now - state.wanted_since) * 5 / std::chrono::duration_cast<Time::duration>(settings_.hold);
  for (; state.fifth < fifth; ++state.fifth) {
    state.least[static_cast<std::size_t>(state.fifth + 1) % state.least.size()].reset();
  }
  auto& least = state.least[static_cast<std::size_t>(fifth) % state.least.size()];
  least = up ? std::min(least.value_or(asked), asked) : std::max(least.value_or(asked), asked);
}

bool Costs::due(State const& state, Time now) const {
  if (!state.wanted || now - state.wanted_since < settings_.hold) {
    return false;
  }
  bool const up = !state.rung || *state.wanted > *state.rung;
  return std::none_of(state.least.begin(), state.least.end(), [&](std::optional<std::size_t> const& least) {
    return least && (up ? *least < *state.wanted : *least > *state.wanted);
  });
}

bool Costs::rests(State const& state, Time now) const {
  auto const restless = [&](std::string const& node) {
    auto const found = restless_.find(node);
    return found != restless_.end() && now - found->second < settings_.quiet;
  };
  bool const pauses = state.changed && now - *state.changed < settings_.link_pause * state.pauses;
  return pauses || restless(state.a) || restless(state.b);
}

void Costs::change(State& state, Time now) {
  auto const cost = ladder_.cost(*state.wanted);
  bool const rises = cost > state.cost;
  bool const soon = state.changed && now - *state.changed < settings_.link_pause * state.pauses * 2;
  if (!soon) {
    state.pauses = 1;
  } else if (rises != state.rose) {
    state.pauses = std::min(state.pauses * 2, settings_.pauses_most);
  }
  state.rung = state.wanted;
  state.cost = cost;
  state.rose = rises;
  state.wanted.reset();
  state.changed = now;
}

std::vector<Change> Costs::decide(Time now) {
  std::vector<Change> out;
  std::erase_if(restless_, [&](auto const& entry) { return now - entry.second >= settings_.quiet; });
  bool const pauses = last_round_ && now - *last_round_ < settings_.round_pause;
  for (auto& [name, state] : links_) {
    follow(state, now);
    if (pauses || rests(state, now) || !due(state, now)) {
      continue;
    }
    bool const differs = ladder_.cost(*state.wanted) != state.cost;
    change(state, now);
    if (differs) {
      out.push_back({name, state.cost});
    }
  }
  if (!out.empty()) {
    last_round_ = now;
  }
  return out;
}

std::optional<RoundTrip> Costs::latency(std::string const& link, Time now) const {
  auto const found = links_.find(link);
  return found == links_.end() ? std::nullopt : latency(found->second, now);
}

std::vector<std::string> Costs::links() const {
  std::vector<std::string> out;
  for (auto const& [name, state] : links_) {
    out.push_back(name);
  }
  return out;
}

std::optional<std::uint32_t> Costs::cost(std::string const& link) const {
  auto const found = links_.find(link);
  return found == links_.end() ? std::nullopt : std::optional(found->second.cost);
}

}  // namespace cost
