// A change that came from the controller is on trial until the node is seen to reach what it reached before: the
// controller, and every neighbour that the new plan still has; when it has none of those it reached, one that it has in
// their place. Otherwise the node goes back by itself. Pure.
//
// The time to be seen in is counted from the moment that the change was made here, whole and without a failure of its
// own; one that cannot be made in `trial_time` fails. The controller is asked when everything else is seen, and only
// that answer counts: what it said right after the change was said over the routes from before.
//
// Threads: plain values.
#pragma once

#include "routing/bird/status.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace agent {

using Moment = std::chrono::steady_clock::time_point;

// Long enough for adjacencies that start anew, on both ends; BIRD's own way back comes after the longest chain of them.
inline constexpr std::chrono::seconds trial_time{30};
// From the first of a chain of trials: whatever the dead time is, the verdict comes before BIRD goes back by itself.
inline constexpr std::chrono::seconds longest_trial{110};

// Router ids that are Full in both address families, over any device.
std::set<std::string> reached(std::vector<bird::Neighbor> const& neighbors);

struct Trial {
  std::int64_t revision = 0;
  std::set<std::string> neighbors;  // were reached before, and the plan still has them
  std::set<std::string> left;       // were reached before; only when the plan has none of them any more
  std::set<std::string> instead;    // what it has then: one of these must be reached
  bool controller = false;          // answered before
  bool controller_seen = false;     // it answered when it was asked last
  std::uint64_t number = 0;         // which trial of this process it is
  std::chrono::seconds dead_time{4};
  std::optional<Moment> applied = {};  // the change was made here
  Moment from{};                       // a neighbour that is lost is not missed before; once it was applied
  Moment until{};                      // to be applied, and then to be judged
  Moment latest{};                     // for `until`
};
// `dead_time` is how long OSPF, which BFD does not tell of everything, takes to miss a neighbour.
// `planned` are the router ids of the neighbours it then has; `chain_since` is when the first trial of the chain began.
Trial begin_trial(std::int64_t revision, std::set<std::string> const& planned,
                  std::set<std::string> const& reached_before, bool controller, std::chrono::seconds dead_time,
                  Moment now, Moment chain_since);

// It was made here, at this moment. Nothing when that was said already, or comes too late.
void apply(Trial& trial, Moment now);
// Whether all depends on the controller's answer now.
bool asks_controller(Trial const& trial, std::set<std::string> const& reached_now, Moment now);

enum class Verdict { waiting, passed, failed };
// Somebody was left for others, of whom nobody is reached.
bool alone(Trial const& trial, std::set<std::string> const& reached_now);
Verdict judge(Trial const& trial, std::set<std::string> const& reached_now, Moment now);
// "the controller, 10.200.0.3": what is missing.
std::string missing(Trial const& trial, std::set<std::string> const& reached_now);

}  // namespace agent
