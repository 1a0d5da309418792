// Whose key is changed when: one after the other among neighbours, so that a link has at most one end on the way from
// one key to another; nodes that share no link change theirs side by side.
//
// Threads: pure functions.
#pragma once

#include "mesh/members/members.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace members {

// Of the asked nodes, those that may change now: who has a next key already, then who asked first.
std::set<std::string> rotating(std::vector<NodeRow> const& rows, topology::Topology const& topology);

// Members whose key is older than `after_s` (0: none ever).
std::vector<std::string> overdue(std::vector<NodeRow> const& rows, std::int64_t after_s, std::int64_t now_s);

}  // namespace members
