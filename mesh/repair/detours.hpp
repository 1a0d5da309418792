// What takes over when the link of a device is lost, for one node: loop-free alternates as kernel routes. Pure.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/plan.hpp"
#include "mesh/repair/kernel_routes.hpp"

#include <map>
#include <string>
#include <utility>

namespace repair {

// (device that is lost, destination) -> the way around.
using Detours = std::map<std::pair<std::string, wireguard::Network>, Route>;

// Nothing in a mesh of several areas, whose routes are not all cheapest paths. Over devices of `plan` alone; none over
// a device that its successor takes over from, none over a drained node.
Detours detours_of(plan::World const& world, plan::NodePlan const& plan);

}  // namespace repair
