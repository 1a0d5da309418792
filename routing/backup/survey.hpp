// How much of a mesh loop-free alternates cover, fast enough for thousands of nodes: the link-protecting inequality of
// alternates.hpp for every node, primary next hop and destination, without naming the gaps; with several areas what
// areas.hpp says.
//
// Threads: pure functions.
#pragma once

#include "topology/topology.hpp"

#include <cstddef>

namespace backup {

struct Survey {
  std::size_t destinations = 0;  // nodes and services that were looked at
  std::size_t of = 0;            // those that there are
  std::size_t cases = 0;         // node, primary next hop, destination
  std::size_t covered = 0;       // of cases: another neighbour takes over at once when the link is lost

  [[nodiscard]] double percent() const;  // 100 when there is nothing to cover
};

// With more than `most_destinations` of them evenly spread ones are looked at. Costs a cheapest-path tree of each.
Survey survey(topology::Topology const& topology, std::size_t most_destinations);

}  // namespace backup
