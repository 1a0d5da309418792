// Which names may change their answer when endpoints flip, and which checks the pools ask for.
//
// Threads: pure functions over immutable values.
#pragma once

#include "dns-backend/monitor/monitor.hpp"
#include "dns-backend/snapshot/snapshot.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/vantage/exchange.hpp"

#include <set>
#include <string>
#include <vector>

namespace navigator {

// Every name whose balancer reaches one of `endpoints`; a wildcard with its subtree. When a zone has more than
// `names_max` of them the whole zone stands for them: one purge of a subtree is cheaper than thousands of names. Costs
// as much as there are such names, whatever else the zones hold.
std::vector<store::Touched> names_answering(store::Snapshot const& snapshot, std::set<std::string> const& endpoints,
                                            std::size_t names_max = 1000);

// One watch for each enabled endpoint of the topology's pools, and for each enabled origin of the operator's enabled
// pools that have a monitor.
std::vector<monitor::Watch> watches_of(std::vector<store::PoolRow> const& pools, pool::HealthTable& table,
                                       steering::Objects const& objects = {});

// The same endpoints, and no others (what is not checked here must be forgotten, so that its next verdict is news), as the
// sites judge them together: where each stands, and how many sites must agree.
std::vector<vantage::Subject> subjects_of(std::vector<store::PoolRow> const& pools,
                                          steering::Objects const& objects = {});

}  // namespace navigator
