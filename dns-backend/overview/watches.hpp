// Which checks the pools ask for, and what the sites judge together.
//
// Threads: pure functions over immutable values.
#pragma once

#include "dns-backend/monitor/monitor.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/vantage/exchange.hpp"

#include <vector>

namespace overview {

// One watch for each enabled endpoint of the topology's pools, and for each enabled origin of the operator's enabled
// pools that have a monitor.
std::vector<monitor::Watch> watches_of(std::vector<store::PoolRow> const& pools, pool::HealthTable& table,
                                       steering::Objects const& objects = {});

// The same endpoints, and no others (what is not checked here must be forgotten, so that its next verdict is news), as
// the sites judge them together: where each stands, and how many sites must agree.
std::vector<vantage::Subject> subjects_of(std::vector<store::PoolRow> const& pools,
                                          steering::Objects const& objects = {});

}  // namespace overview
