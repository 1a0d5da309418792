// The two tiers of names beside each tenant's own: one for each cluster, and one for all clusters together. They are
// load balancers of the steering tables, made of the pools there are and kept equal to them.
//
// Threads: wanted_names() and names_to_remove() are pure; keep_names() belongs to the control loop.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <string>
#include <vector>

namespace self_service {

struct NameTiers {
  std::string cluster_zone;  // "edge.example.org": ams.edge.example.org answers with the cluster ams; empty: none
  std::string global;        // answers with every cluster; empty: none
};

// The topology's clusters each, and all of them; nothing without pools.
std::vector<steering::Balancer> wanted_names(std::vector<store::PoolRow> const& pools, NameTiers const& tiers);
// Those that were made here and are not wanted any longer. What operators made is left alone.
std::vector<std::string> names_to_remove(steering::Objects const& present,
                                         std::vector<steering::Balancer> const& wanted);

// Equal: writes nothing. A name that an operator has is left to him.
net::Task<base::Result<void>> keep_names(store::Store& store, NameTiers tiers);

}  // namespace self_service
