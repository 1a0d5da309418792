// A change that came from the controller is on trial until the node is seen to reach what it reached before: the
// controller, and every neighbour that the new plan still has. Otherwise the node goes back by itself. Pure.
//
// Threads: plain values.
#pragma once

#include "mesh/plan/plan.hpp"
#include "routing/bird/status.hpp"

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace agent {

using Moment = std::chrono::steady_clock::time_point;

// Long enough for adjacencies that start anew, on both ends; BIRD's own way back (60 s) comes after it.
inline constexpr std::chrono::seconds trial_time{30};

// Nothing is new but measured costs (and number and date): BIRD takes those without touching an adjacency, and a change
// that the controller makes by itself every now and then is nothing to go back from.
bool only_costs(plan::WorldDocument const& before, plan::WorldDocument after);

// Router ids that are Full in both address families, over any device.
std::set<std::string> reached(std::vector<bird::Neighbor> const& neighbors);

struct Trial {
  std::int64_t revision = 0;
  std::set<std::string> neighbors;  // were reached before, and the plan still has them
  bool controller = false;          // answered before
  bool controller_seen = false;     // answered since
  Moment from{};                    // a neighbour that is lost is not missed before
  Moment until{};
};
// `dead_time` is how long OSPF, which BFD does not tell of everything, takes to miss a neighbour.
Trial begin_trial(plan::NodePlan const& plan, std::set<std::string> const& reached_before, bool controller,
                  std::chrono::seconds dead_time, Moment now);

enum class Verdict { waiting, passed, failed };
Verdict judge(Trial const& trial, std::set<std::string> const& reached_now, Moment now);
// "the controller, 10.200.0.3": what is missing.
std::string missing(Trial const& trial, std::set<std::string> const& reached_now);

}  // namespace agent
