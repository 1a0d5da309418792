// YAML in, Topology out, or every problem with file, line, column and a hint. The schema is docs/topology.md.
//
// Threads: pure functions.
#pragma once

#include "base/result/problem.hpp"
#include "topology/topology.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace topology {

// `source_name` is what problems name as their file. Never partial: a value only when there is no problem at all.
boost::system::result<Topology, base::Problems> load_topology(std::string_view text, std::string const& source_name);

}  // namespace topology
