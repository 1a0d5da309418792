// The service bindings of one load balancer as its section says them (RFC 9460), with every rule that one and all of
// them must keep. Whether the balancer can have any is check.hpp's.
//
// Threads: pure functions.
#pragma once

#include "base/config/reader.hpp"
#include "dns-backend/steering/objects.hpp"

#include <string>
#include <vector>

namespace steering {

inline constexpr std::size_t service_bindings_max = 16;  // of one load balancer
inline constexpr std::size_t alpn_max = 16;              // of one binding
inline constexpr std::size_t ech_octets_max = 4096;

// `owner` is the balancer's dns::Name::text(). Mistakes go to the reader's problems.
std::vector<ServiceBinding> read_service_bindings(config::Reader& balancer, std::string const& owner);

}  // namespace steering
