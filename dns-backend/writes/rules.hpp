// Rules between static records and what tenants, load balancers and challenges derive.
//
// Threads: the store thread.
#pragma once

#include "dns-backend/writes/write.hpp"

#include <set>

namespace store {

// Types that a balancer cannot stand beside: addresses, what replaces them, and what takes the name away.
bool takes_addresses(dns::RRType type);

// What tenants, load balancers and challenges forbid at a name of the zone `apex` that is to hold `rrsets`.
base::Result<void> check_derived(Write const& write, dns::Name const& apex, dns::Name const& name,
                                 std::vector<dns::RRset> const& rrsets);

// A new zone must not take the answers of a tenant or load balancer away from the zone above.
base::Result<void> check_new_zone(Write const& write, dns::Name const& apex);

// Of each zone that is there; the names are apexes.
base::Result<void> raise_serials(Write const& write, std::set<std::string> const& apexes);

}  // namespace store
