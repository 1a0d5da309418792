// In which order a balancer's pools are asked, by its Steering.
//
// Threads: pure; part of one call of select().
#pragma once

#include "dns-backend/pool/candidates.hpp"

namespace pool {

struct Order {
  boost::container::small_vector<std::size_t, 16> nodes;  // numbers in Candidates; only pools with a candidate
  std::uint8_t scope_bits = 0;                            // as Selection::scope_bits
};

// Adds the pools that this client's order has to `all`, and the fallback pool, whose node goes to `fallback`.
Order steer(LoadBalancer const& balancer, Asking const& asking, Candidates& all, std::optional<std::size_t>& fallback);

}  // namespace pool
