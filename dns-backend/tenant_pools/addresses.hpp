// Addresses that a tenant may not have checked: Navigator stands inside, and a check is a connection from there.
//
// Reserved and private networks are those of the IANA special-purpose registries (RFC 6890) and what carries an IPv4
// address within (RFC 4291, 6052, 3056, 4380).
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace tenant_pools {

struct Boundaries {
  std::vector<std::string> allowed;  // prefixes or addresses; a private network is not refused there
  std::vector<std::string> refused;  // before the former
};

// Empty: it may. `address` is an IP address.
std::string why_refused(std::string const& address, Boundaries const& boundaries);

}  // namespace tenant_pools
