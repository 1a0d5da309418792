// The names before and after a name in a zone's NSEC chain (RFC 4034 6.1) or NSEC3 chain (RFC 5155).
//
// PowerDNS asks with a name relative to the zone ("www.", the apex is ".") for NSEC, with a base32hex hash for NSEC3,
// and wants both neighbours in the same form. `before` is the greatest that is <= the asked one, `after` the next; both
// wrap. Glue, occluded names and empty non-terminals are not in the NSEC chain; delegations are. Which of the two
// chains a zone has is its metadata NSEC3PARAM.
//
// Threads: pure; any loop.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace remote {

struct Neighbours {
  std::string unhashed;  // owner name of `before`, absolute
  std::string before;
  std::string after;
};

// Empty when the name cannot exist or the zone has no chain.
std::optional<Neighbours> neighbours(store::Zone const& zone, std::string_view qname);

}  // namespace remote
