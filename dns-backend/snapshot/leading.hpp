// Names whose answers PowerDNS makes by way of other names: what of a zone leads where, and what must be forgotten
// beside the names that changed.
//
// Threads: pure functions over immutable values.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <cstddef>
#include <vector>

namespace store {

// What the entry of the zone leads to. nullptr: nothing.
Links links_of(Zone const& zone, Entry const* entry);

// `touched` and, by chains of any length, every name that leads to one of them: an alias (a wildcard with its subtree),
// an MX, a delegation with glue. More than `names_max` of those, or more than ten times as many looked at: everything,
// as the subtree of the root. Costs as much as there are such names, whatever else the zones hold.
//
// `before`: the snapshot until now, if there is one. A zone's apex changes with each change of the zone, by the SOA's
// serial; when by nothing else, nobody follows it for that.
std::vector<Touched> with_leading(Snapshot const& snapshot, std::vector<Touched> touched,
                                  std::size_t names_max = 4000, Snapshot const* before = nullptr);

}  // namespace store
