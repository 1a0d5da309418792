// The choice of an answer, pure: balancer, health, client and time in, endpoints out. The whole rule table is in
// README.md.
//
// The same inputs give the same answer on every replica, and twice within one query: what must vary varies by a hash of
// the balancer's name with the client's prefix or with the time in steps of the TTL, never by a random number.
//
// Threads: any. Takes nothing from the heap while a pool has no more endpoints than endpoints_in_place.
#pragma once

#include "dns-backend/geo/geo.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/pool/pool.hpp"

namespace pool {

// Which addresses the answer needs. An endpoint without one of that kind is no candidate, so that a name with any IPv4
// endpoint always has an A answer and its NSEC bitmap stays true while health moves.
enum class Family { any, ipv4, ipv6 };

// Where and when the question is asked, beside the health.
struct Asking {
  HealthTable const& health;
  std::int64_t now_s = 0;                // Unix time
  geo::Client client = {};               // the resolver, or the client's prefix it sent (ECS)
  geo::Locator const* locator = nullptr; // nullptr: nobody's place is known
  geo::SiteCosts const* costs = nullptr; // of the answering site to the others; nullptr: no mesh here
};

Selection select(LoadBalancer const& balancer, Asking const& asking, Family family = Family::any);

}  // namespace pool
