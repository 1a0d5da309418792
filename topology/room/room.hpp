// Where a topology asks for numbers that are not to be had: ids and ports that others have or had until lately, and
// prefixes or port ranges that are full. Every problem with its place in the text and what would mend it.
//
// Threads: a pure function.
#pragma once

#include "base/result/problem.hpp"
#include "topology/allocation.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace topology {

// What keeps `allocate(topology, previous, now_s)` from giving every node and link its numbers; empty: nothing does.
// `text` is what `topology` was loaded from, `source` its name in the problems.
base::Problems room_problems(std::string_view text, std::string const& source, Topology const& topology,
                             Allocation const& previous, std::int64_t now_s);

}  // namespace topology
