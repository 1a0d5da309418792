// Records of a tenant's own: RRsets at its name and below it, in the platform's zone.
//
// Threads: the store thread.
#pragma once

#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/tenants/life_cycle.hpp"

#include <set>
#include <string>
#include <vector>

namespace tenants {

// Everything stored at or below `name` in its zone, in canonical order.
base::Result<std::vector<dns::OwnedRRset>> records_within(store::Write const& write, store::ZoneRow const& zone,
                                                          dns::Name const& name);

// Sets or, with empty contents, deletes RRsets; all or nothing. refused: outside the tenant's name, a type tenants
// cannot have, more than its plan allows, or a CNAME that leads back to itself.
base::Result<void> set_records(store::Write const& write, Policy const& policy, std::string const& label,
                               std::vector<dns::OwnedRRset> const& rrsets, Circumstances const& when);

// The names on the way when a CNAME among `rrsets` leads back to itself through names that are served here; else empty.
base::Result<std::string> alias_loop(store::Write const& write, std::vector<dns::OwnedRRset> const& rrsets);

// Apexes of zones that answer for the tenant: the platform's, and those of its domains that are served here.
std::set<std::string> zones_of(store::Write const& write, store::Tenant const& tenant);

// Types a tenant may have below its name. Delegations, zone data and DNSSEC records would take the platform's zone
// apart.
bool is_tenant_type(dns::RRType type);

// refused: other records of the same name and type are there, unless they are to be replaced.
base::Result<void> copy_records(store::Write const& write, store::ZoneRow const& zone, dns::Name const& from,
                                dns::Name const& to, bool replace);
base::Result<void> remove_records(store::Write const& write, store::ZoneRow const& zone, dns::Name const& name);

}  // namespace tenants
