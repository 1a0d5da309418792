// From the declared topology to the pools that DNS answers from: one pool a cluster, one endpoint a node.
//
// Threads: pure function.
#pragma once

#include "dns-backend/store/store.hpp"
#include "topology/topology.hpp"

#include <vector>

namespace topology_pools {

// Addresses are the first IPv4 and the first IPv6 of the node's public addresses; the probe goes to the IPv4 one when there
// is one.
std::vector<store::PoolRow> pools_of(topology::Topology const& topology);

}  // namespace topology_pools
