// Which names may change their answer when endpoints flip.
//
// Threads: pure functions over immutable values.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace overview {

// Every name whose balancer reaches one of `endpoints`; a wildcard with its subtree. When a zone has more than
// `names_max` of them the whole zone stands for them: one purge of a subtree is cheaper than thousands of names. Costs
// as much as there are such names, whatever else the zones hold.
std::vector<store::Touched> names_answering(store::Snapshot const& snapshot, std::set<std::string> const& endpoints,
                                            std::size_t names_max = 1000);

}  // namespace overview
