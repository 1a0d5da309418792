// Anycast instances on the way to the next one. A node that has withdrawn a service keeps its address, so that a check
// can ask it there; what others send through that node to another instance is taken by it, and answered by nobody, but
// where an agent lets it pass on (mesh/passing_on).
//
// Threads: pure functions.
#pragma once

#include "topology/topology.hpp"

#include <string>
#include <vector>

namespace backup {

struct Passing {
  std::string service;
  std::string instance;            // has withdrawn it
  std::vector<std::string> nodes;  // whose cheapest way, or one of them, to the next instance leads through that node
};

// By service and instance; those that nobody passes through are left out. By costs alone, whatever the areas.
std::vector<Passing> passing(topology::Topology const& topology);

}  // namespace backup
