// The OSPF areas of a mesh, each as a graph of its own. OSPF sends nothing from one area to another but through the
// backbone (RFC 2328, 3.1), so that a mesh holds together in its areas or not at all: the backbone by its own links,
// every other area by its links and the backbone, which stands in its graph as one node that every border is linked to.
// That node is lost only with a group that leaves nothing but nodes of the area; that the backbone stays in one piece
// is shown by its own graph. Internal to this module.
//
// Threads: pure functions.
#pragma once

#include "topology/proof/weaknesses.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace proof {

// Behind every name of a node, in the order of names.
inline constexpr char const* name_of_the_backbone = "~backbone";

struct AreaGraph {
  std::string area;            // "0.0.0.1"
  topology::Graph graph;       // nodes by name, links by the names of their ends
  std::vector<Group> groups;   // those that have something in it, by kind and name
  std::uint32_t backbone = 0;  // the node that stands for it; graph.size() when this is the backbone
};

// By area, the backbone first. Empty when all links are in one area: then the graph of all says everything.
std::vector<AreaGraph> areas_of(topology::Topology const& topology);

}  // namespace proof
