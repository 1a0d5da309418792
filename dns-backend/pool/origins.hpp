// Which of the endpoints that a pool could answer with are named, by weights, load and its OriginSteering.
//
// Threads: pure; part of one call of select().
#pragma once

#include "dns-backend/pool/candidates.hpp"

namespace pool {

// Leaves out of `chosen` what the pool does not want named now; never all of it. Raises `scope_bits` where the client's
// address decided.
void choose_origins(Pool const& pool, LoadBalancer const& balancer, Asking const& asking, Chosen& chosen,
                    std::uint8_t& scope_bits);

}  // namespace pool
