// What takes over when the link of a device is lost, for one node: loop-free alternates as kernel routes. Pure.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/plan.hpp"
#include "mesh/repair/kernel_routes.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace repair {

// (device that is lost, destination) -> the way around.
using Detours = std::map<std::pair<std::string, wireguard::Network>, Route>;

// With several areas by the rules of each (routing/backup/areas.hpp). Over devices of `plan` alone; none over a device
// that its successor takes over from, none over a drained node.
Detours detours_of(plan::World const& world, plan::NodePlan const& plan);

// What is seen of a detour that carries.
struct DetourInUse {
  bool back = false;    // the session that was lost is up again, and routing still goes that way
  bool carries = true;  // the session over the detour's own device is up
  std::optional<std::chrono::milliseconds> moved_for;  // routing has gone another way for so long
  std::chrono::milliseconds age{0};
};
inline constexpr std::chrono::seconds linger{2};  // the others' tables follow within two ticks
inline constexpr std::chrono::seconds longest{30};
// After a second loss, of the way around, whatever BIRD has found by now is better than a detour into nothing.
bool ends(DetourInUse const& detour);

}  // namespace repair
