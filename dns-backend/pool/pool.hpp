// Pools, load balancers, and the pure choice of an answer. Objects and fields are Cloudflare Load Balancing's.
//
// A *pool* is a set of endpoints (origins) with a monitor and a minimum; a *load balancer* is an ordered list of pools.
// Health is not part of these values: it lives in a HealthTable (health_table.hpp), one word an endpoint, so that a
// flip rebuilds nothing.
//
// Threads: immutable values; select() (select.hpp) is pure and may run on any loop.
#pragma once

#include "base/probe/health_state.hpp"
#include "base/probe/probe.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pool {

struct Endpoint {
  std::string name;        // the node, for instance "edge-ams-1"
  std::string address4;    // answered as A; empty: none
  std::string address6;    // answered as AAAA; empty: none
  std::string target;      // answered as CNAME; then it has no address, and neither has any other of its balancer
  std::uint32_t slot = 0;  // index into the HealthTable
  bool enabled = true;
  std::uint32_t weight = 1000;  // relative; Cloudflare's 0 to 1, in thousandths; 0: only when nothing else is there
  bool operator==(Endpoint const&) const = default;
};

// What a pool answers with when all its candidates are down (Cloudflare has only the last resort of a fallback pool).
enum class AllDown { serve_all, fallback, empty, keep_last };

// Which of a pool's eligible endpoints one answer names (Cloudflare: origin_steering.policy). `all` is ours: every one
// of them, which is what DNS clients that try the next address want. The others name one, or Pool::origins_max of them.
enum class OriginSteering { all, random, hash, least_load };

struct Coordinates {
  double latitude = 0;   // degrees, north positive
  double longitude = 0;  // degrees, east positive
  bool operator==(Coordinates const&) const = default;
};

struct Pool {
  std::string name;  // the cluster
  std::string site;  // where it is, for Steering::mesh
  std::vector<Endpoint> endpoints;
  std::vector<std::shared_ptr<Pool const>> pools;  // nested ones: what they would answer with counts as its own
  std::uint32_t minimum_origins = 1;               // 0 means 1
  bool enabled = true;
  AllDown all_down = AllDown::serve_all;
  OriginSteering origin_steering = OriginSteering::all;
  std::uint32_t origins_max = 0;  // endpoints in one answer; 0: every one under `all`, one under the other policies
  std::optional<Coordinates> coordinates;
  // least_load and shedding: an endpoint that reports at least this load gets nothing while another has less; 0: never.
  std::uint32_t shed_at_permille = 0;
  bool operator==(Pool const&) const = default;
};

using PoolPtr = std::shared_ptr<Pool const>;

// Levels of nested pools below a balancer's own. What is deeper is not looked at; configuration refuses it.
inline constexpr unsigned nesting_max = 4;

// How a load balancer orders its pools (Cloudflare: steering_policy). `mesh` is ours: by the mesh's own measured cost
// from the answering site to the pool's.
enum class Steering { off, random, hash, geo, proximity, mesh, least_load };

// A service binding (RFC 9460) at a balancer's name, in the words of its record, which each answer fills with hints
// (bindings.hpp). Keys ascend by their numbers, so the hints have their places: ipv4hint, then ech, then ipv6hint.
struct Binding {
  std::uint16_t type = 65;  // IANA's number: 64 SVCB, 65 HTTPS
  std::string head;         // "1 . alpn=h2 port=8443": what comes before ipv4hint
  std::string ech;          // " ech=AEX+..." between the hints; empty: none
  bool hints = true;        // the answer names the addresses that the balancer answers
  bool operator==(Binding const&) const = default;
};

struct LoadBalancer {
  std::string name;            // seeds random and hash, so that two names do not move together
  std::vector<PoolPtr> pools;  // default_pools, in failover order: primary cluster first
  // For AllDown::fallback, and when no other pool has a candidate at all; nullptr: none.
  PoolPtr fallback_pool;
  // Steering::geo: by country code ("DE"), continent ("EU") or the name an operator's CIDR map gives ("office").
  std::map<std::string, std::vector<PoolPtr>, std::less<>> region_pools;
  std::map<std::string, std::uint32_t> pool_weights;  // Steering::random, by pool; absent: 1000
  Steering steering = Steering::off;
  std::uint32_t ttl = 30;  // seconds, at most; less while a flip is near
  // A pool earlier in the order takes over again only when its endpoints have been up for so long.
  std::uint32_t failback_s = 0;
  // Endpoints that may be answered by name because they proved to serve the tenant's certificate; empty optional:
  // no certificate yet, every endpoint may.
  std::optional<std::set<std::string>> ready;
  // Answered beside addresses, whatever the health; a balancer that answers by name has none.
  std::vector<Binding> bindings;
};

// Made for every lookup of a balanced name, so without memory from the heap while an answer has no more endpoints.
inline constexpr std::size_t endpoints_in_place = 16;
using Endpoints = boost::container::small_vector<Endpoint const*, endpoints_in_place>;

struct Selection {
  Endpoints endpoints;         // what is answered, in configuration order
  Pool const* pool = nullptr;  // which pool answered; as long as the balancer lives
  bool healthy = true;         // false: the all-down policy decided
  std::uint32_t ttl = 0;       // seconds: the balancer's, or less because a flip is near
  // The prefix length of the client address that the choice depended on; 0: everybody gets this answer, and PowerDNS
  // may cache it for everybody (RFC 7871 7.2.1). Never 0 where another client may be told something else, so 1 for a
  // client of whom nothing is known.
  std::uint8_t scope_bits = 0;
};

}  // namespace pool
