// The part of a topology that one node's files are made of: itself, its neighbours and links, and what is the same for
// everybody (the mesh's settings, services, areas, where the controller and the DNS stores are). What is made of it
// alone cannot change when somebody joins elsewhere, and costs what the node has links, not what the mesh has nodes.
//
// Threads: immutable after construction; it must not outlive the topology it was made of.
#pragma once

#include "topology/topology.hpp"

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace topology {

class Neighbourhoods {
 public:
  explicit Neighbourhoods(Topology const& topology);

  // A topology of the node and its neighbours; without clusters, and with the segments it is a gateway of. Of a name
  // that is none of the nodes: no nodes.
  [[nodiscard]] Topology of(std::string_view node) const;

 private:
  Topology const& whole_;
  std::unordered_map<std::string_view, std::uint32_t> nodes_;               // index into nodes
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> links_;  // indexes into links, by either end
};

}  // namespace topology
