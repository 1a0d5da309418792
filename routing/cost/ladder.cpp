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

// Keeps `wanted` and the moment since which at least that much has been asked for. The wish has the same hysteresis as
// the rung itself, so that jitter around some far bound does not start the clock again and again.
void Costs::follow(State& state, Time now) {
  auto const measured = latency(state, now);
  if (!measured || (state.rung && ladder_.rung_from(*state.rung, *measured) == *state.rung)) {
    state.wanted.reset();  // nobody knows, or content
    return;
  }
  auto const asked = state.wanted ? ladder_.rung_from(*state.wanted, *measured) : ladder_.rung(*measured);
  if (asked == state.rung) {
    state.wanted.reset();
    return;
  }
  // A smaller step the same way was contained in the larger one and has held as long; anything else begins anew.
  bool const contained =
      state.wanted && state.rung &&
      ((*state.rung < asked && asked <= *state.wanted) || (*state.wanted <= asked && asked < *state.rung));
  if (!contained && state.wanted != asked) {
    state.wanted_since = now;
  }
  state.wanted = asked;
}

bool Costs::node_rests(std::string const& node, Time now) const {
  auto const found = nodes_changed_.find(node);
  return found != nodes_changed_.end() && now - found->second < settings_.node_pause;
}

std::vector<Change> Costs::decide(Time now) {
  std::vector<Change> out;
  std::erase_if(nodes_changed_, [&](auto const& entry) { return now - entry.second >= settings_.node_pause; });
  bool const restless = last_adjacency_change_ && now - *last_adjacency_change_ < settings_.quiet;
  for (auto& [name, state] : links_) {
    follow(state, now);
    if (restless || !state.wanted || now - state.wanted_since < settings_.hold ||
        (state.changed && now - *state.changed < settings_.link_pause) || node_rests(state.a, now) ||
        node_rests(state.b, now)) {
      continue;
    }
    state.rung = state.wanted;
    state.cost = ladder_.cost(*state.wanted);
    state.wanted.reset();
    state.changed = now;
    nodes_changed_[state.a] = now;
    nodes_changed_[state.b] = now;
    out.push_back({name, state.cost});
  }
  return out;
}

std::optional<std::uint32_t> Costs::cost(std::string const& link) const {
  auto const found = links_.find(link);
  return found == links_.end() ? std::nullopt : std::optional(found->second.cost);
}

}  // namespace cost
