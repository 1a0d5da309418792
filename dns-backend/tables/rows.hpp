// Rows of the small tables as values.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace store {

struct Tenant {
  std::int64_t id = 0;
  std::string label;  // "acme-tv": one DNS label
  std::string zone;   // apex of the platform zone it lives in
  std::string plan;
  std::string primary;  // pool names
  std::vector<std::string> backups;
  std::string state = "active";  // "active", "suspended"
  std::int64_t created_at_ms = 0;
};

// Rows the primary derives from the topology and replicas receive: wanted state, replaced as a whole.
struct PoolRow {
  std::string name;
  std::string site;
  std::uint32_t minimum_origins = 1;
  struct EndpointRow {
    std::string name;
    std::string address4, address6;
    std::string probe_address;
    bool enabled = true;
    std::uint32_t weight = 1;
  };
  std::vector<EndpointRow> endpoints;
  // monitor
  std::string type = "tcp";  // tcp, http, https
  std::uint16_t port = 443;
  std::string method = "GET", path = "/", host, expected_codes = "2xx", expected_body;
  std::uint32_t interval_ms = 5000, timeout_ms = 1000, consecutive_up = 2, consecutive_down = 3;
};

}  // namespace store
