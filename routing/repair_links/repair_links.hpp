// Links that carry detours alone. Where a node has no loop-free alternate among its neighbours (a ring, a hub, costs
// that are no metric), RFC 7490 tunnels to a node of the Q-space of the protected link: one whose own way to the
// destination does not lead back. Here any node with an underlay address can be a neighbour, so the tunnel is a link
// of its own: a WireGuard device in OSPF, at a cost at which nobody sends by it as long as there is another way. Its
// other end then is a plain loop-free alternate (routing/backup), with BFD on it as on every link.
//
// Few are chosen, greedily by the cases of node, link and destination that each adds; a case whose detour shares no
// site, provider or risk with what failed counts twice. Between two edges there are none where the mesh has other
// nodes: an edge carries nobody else's traffic. What was chosen is part of the allocation, so that agents need not
// choose, and so that it stays: while nodes or other links come and go, only repair links with an end at one that
// changed do.
//
// Threads: pure functions.
#pragma once

#include "topology/allocation.hpp"
#include "topology/topology.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace repair_links {

inline constexpr std::uint32_t cost = 60000;           // less than a drained node's links (bird::cost_of_drained)
inline constexpr unsigned most_per_node = 3;           // chosen links
inline constexpr std::size_t most_nodes = 500;         // beyond that nothing is chosen: choosing is cubic
inline constexpr std::uint32_t most_distance = 30000;  // between its ends: no path may ever gain by the link

struct Chosen {
  topology::Link link;
  std::size_t cases = 0;  // that it adds to those before it
};

struct Choice {
  std::vector<Chosen> links;  // in the order in which they were chosen; those kept come first
  std::size_t cases = 0;      // node, primary next hop, destination
  std::size_t covered = 0;    // without repair links
  std::size_t covered_with = 0;
  std::string why_none;  // nothing is chosen for a mesh like this; empty: it was tried
};

// For a topology without repair links. `previous` is what was chosen before and which nodes there were; an empty one
// leaves the choice free, and so does one in which all nodes and links are as they are now.
Choice choose(topology::Topology const& topology, topology::Allocation const& previous);

// Those that the allocation holds and the topology has room for (both ends are there, no other link joins them), when
// the topology wants repair links at all.
std::vector<topology::Link> chosen_in(topology::Topology const& topology, topology::Allocation const& allocation);

void add(topology::Topology& topology, std::vector<topology::Link> const& links);
// The topology as people declared it.
topology::Topology without(topology::Topology topology);

// What a topology that is set gets: nothing when it does not want any, what there is when it is `unchanged` since, else
// a choice.
void complete(topology::Topology& topology, topology::Allocation const& previous, bool unchanged);

}  // namespace repair_links
