// The choice of an answer, pure: balancer and health in, endpoints out. The whole rule table is in README.md.
//
// Threads: any.
#pragma once

#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/pool/pool.hpp"

namespace pool {

// Which addresses the answer needs. An endpoint without one of that kind is no candidate, so that a name with any IPv4
// endpoint always has an A answer and its NSEC bitmap stays true while health moves.
enum class Family { any, ipv4, ipv6 };

// Failover order among the candidates: enabled, of the family, and in `ready` if any such endpoint is. The first pool
// with at least minimum_origins of them up; else the first with any up; else the same two steps for unknown; else all
// of them are down and all_down decides. All endpoints of the chosen pool in that state are answered.
//
// So an endpoint that is down is never answered while an up candidate exists in any pool, and one that was never
// judged is not answered while one that was found up exists.
Selection select(LoadBalancer const& balancer, HealthTable const& health, Family family = Family::any);

}  // namespace pool
