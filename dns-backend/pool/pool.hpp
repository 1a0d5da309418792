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
  std::uint32_t slot = 0;  // index into the HealthTable
  bool enabled = true;
  std::uint32_t weight = 1;
  bool operator==(Endpoint const&) const = default;
};

enum class AllDown { serve_all, fallback, empty, keep_last };

struct Pool {
  std::string name;  // the cluster
  std::string site;
  std::vector<Endpoint> endpoints;
  std::uint32_t minimum_origins = 1;
  bool operator==(Pool const&) const = default;
};

struct LoadBalancer {
  std::vector<std::shared_ptr<Pool const>> pools;  // failover order: primary cluster first
  std::uint32_t ttl = 30;
  AllDown all_down = AllDown::serve_all;
  // Endpoints that may be answered by name because they proved to serve the tenant's certificate; empty optional:
  // no certificate yet, every endpoint may.
  std::optional<std::set<std::string>> ready;
};

// Made for every lookup of a balanced name, so without memory from the heap while a pool has no more endpoints than this.
inline constexpr std::size_t endpoints_in_place = 16;
using Endpoints = boost::container::small_vector<Endpoint const*, endpoints_in_place>;

struct Selection {
  Endpoints endpoints;           // what is answered, in configuration order
  Pool const* pool = nullptr;    // which pool answered; as long as the balancer lives
  bool healthy = true;           // false: the all-down policy decided
};

}  // namespace pool
