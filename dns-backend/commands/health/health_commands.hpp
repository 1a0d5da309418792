// What the endpoints' health is, why, and how it changed. They need the daemon.
//
// Threads: blocking; the command line only. Each gives back the exit code.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <cstdint>
#include <string>

namespace commands {

struct HealthRequest {
  std::string endpoint;  // empty: all of them, a line each; else its last checks as well
  bool watch = false;    // again each second, until SIGINT
};

int show_health(Place const& place, HealthRequest const& request, Output output);

struct TransitionsRequest {
  std::string endpoint;  // empty: of all
  std::int64_t limit = 50;
};

int show_transitions(Place const& place, TransitionsRequest const& request, Output output);

struct OrderRequest {
  std::string endpoint;
  std::string to;          // up, down, draining; empty: what was ordered is taken back
  std::int64_t for_s = 0;  // 0: until it is taken back
  std::string reason;
};

int order_endpoint(Place const& place, OrderRequest const& request);
int list_orders(Place const& place, Output output);
int show_pools(Place const& place, Output output);

// "2026-11-23T18:05:17Z"; "-" for 0. Pure.
std::string utc(std::int64_t unix_ms);

}  // namespace commands
