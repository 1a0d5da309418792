// The topology's pools as a whole: what a change of them must pass and which rows it makes.
//
// Threads: the store thread.
#pragma once

#include "dns-backend/writes/write.hpp"

#include <vector>

namespace store {

// `pools` replaces the present set; equal: nothing is written. Refused with all that is wrong; a tenant's primary pool
// cannot go, nor one that a load balancer or pool of the operator names.
base::Result<void> set_pools(Write const& write, std::vector<PoolRow> pools);

}  // namespace store
