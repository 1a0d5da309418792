// The choice of an answer, pure: balancer, health, client and time in, endpoints out. The whole rule table is in
// README.md.
//
// The same inputs give the same answer on every replica, and twice within one query: what must vary varies by a hash of
// the balancer's name with the client's prefix or with the time in steps of the TTL, never by a random number.
//
// Threads: any. Takes nothing from the heap while a balancer has no more than 64 endpoints in 16 pools, and an answer
// no more than endpoints_in_place.
#pragma once

#include "dns-backend/geo/geo.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/pool/pool.hpp"

namespace pool {

// What the answer needs: addresses of a kind, or a name (Endpoint::target). An endpoint without it is no candidate, so
// that a name with any IPv4 endpoint always has an A answer and its NSEC bitmap stays true while health moves.
enum class Family { any, ipv4, ipv6, name };

// Where and when the question is asked, beside the health.
struct Asking {
  HealthTable const& health;
  std::int64_t now_s = 0;                 // Unix time
  geo::Client client = {};                // the resolver, or the client's prefix it sent (ECS)
  geo::Locator const* locator = nullptr;  // nullptr: nobody's place is known
  geo::SiteCosts const* costs = nullptr;  // of the answering site to the others; nullptr: no mesh here
  // An answer must not be empty (a signed zone, where a type that is gone looks like a forgery): AllDown::empty then
  // means serve_all.
  bool never_empty = false;
};

Selection select(LoadBalancer const& balancer, Asking const& asking, Family family = Family::any);

// Whether answers of this kind exist, whatever the health and whoever asks: the types a name has. Only where no
// endpoint has an address is there Family::name. With any kind that is served and `never_empty`, select() never answers
// nothing.
[[nodiscard]] bool serves(LoadBalancer const& balancer, Family family);

// Whether any of its pools holds one of these endpoints by name, disabled ones too.
[[nodiscard]] bool mentions(LoadBalancer const& balancer, std::set<std::string> const& endpoints);

}  // namespace pool
