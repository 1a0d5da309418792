// The edges that DNS may name for a tenant, out of what they acknowledged.
//
// From a tenant's first acknowledgment on, DNS names only edges whose acknowledged certificate is the current one or a
// former one that is still valid (clients verify that as well, and a renewal must not empty the answers down to its
// first edge). A revoked one counts as long as there is nothing better, or fewer than half of the edges took that. The
// tenant's own name counts; while nobody acknowledged that (after a rename), the names before it do.
//
// A domain's visitors are led to the same edges, and a domain has a certificate of its own: an edge without it, which
// at least half of them serve, is left out (one that was added and has not taken everything yet, or whose web server
// refuses that bundle). While fewer than half have it, it is on its way to them, and the tenant's other visitors are
// not crowded onto the first that took it. All domains together leave no fewer than half.
//
// A set is never made empty: a lookup must not lose its answer to a lapse here.
//
// Threads: pure functions.
#pragma once

#include "acme/fleet/fleet.hpp"

namespace acme {

// Sorted. nullopt: whatever is there stays, so before the first acknowledgment DNS names every healthy edge.
[[nodiscard]] std::optional<std::vector<std::string>> ready_edges(
    TenantFacts const& facts, std::vector<vault::Acknowledgment> const& acknowledgments, crypto::Time now);

}  // namespace acme
