// What tenants may have: plans with quotas, as the settings declare them.
//
// Threads: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tenants {

struct Plan {
  std::string name;
  std::uint32_t backups = 8;    // backup clusters beside the primary
  std::uint32_t records = 100;  // RRsets of its own
  std::uint32_t domains = 10;   // custom domains, claims included
  std::uint32_t tokens = 20;
  std::vector<std::string> clusters = {};  // pools it may be placed on; empty: any
  std::uint32_t pools = 5;                 // of its own
  std::uint32_t origins = 16;              // of one pool
};

struct Policy {
  std::vector<Plan> plans = {};                  // empty: any name is a plan, with the quotas above
  std::int64_t overlap_ms = 24LL * 3600 * 1000;  // how long a former label answers beside the new one
  std::string challenge_zone = {};  // apex below which custom domains delegate their challenges; empty: none
  std::string cluster_zone = {};    // "edge.example.org": below it each cluster has a name; empty: none
  std::string global_name = {};     // of all clusters together; empty: none
  // Prefixes in CIDR notation. Tenants' origins may be in none of the latter, and in none that is reserved or private
  // unless it is in the former.
  std::vector<std::string> origins_allowed = {};
  std::vector<std::string> origins_refused = {};
  std::uint32_t claims_per_day = 100;  // of one tenant: domains and registrations within 24 hours; 0: any number
};

// nullptr: there are plans, and this is none of them.
Plan const* find_plan(Policy const& policy, std::string const& name);

// "basic, gold".
std::string names_of_plans(Policy const& policy);

}  // namespace tenants
