// What must hold between objects, and between them and the zones they answer in. read.hpp has looked at each by itself.
//
// Every problem is found at once. Paths begin with the object: "pools[web].origins[2].address",
// "load_balancers[www.example.org.].default_pools[0]"; by index within a list, by name otherwise.
//
// Threads: pure functions; `Context` brings what they ask.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/dns/name.hpp"
#include "dns-backend/steering/objects.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace steering {

inline constexpr std::size_t nesting_max = 4;      // pools in one another, the outermost counted
inline constexpr std::size_t origins_max = 10000;  // of all pools: each has its place in the health table
inline constexpr std::size_t objects_max = 20000;

// What is at a name that a load balancer wants.
struct NameFacts {
  std::string zone;                // apex of the zone that holds it; empty: none does
  bool apex = false;               // the name is that apex
  std::string delegation;          // the name of the delegation it lies below or at; empty: none
  std::vector<std::string> types;  // RRsets there, "A", "CNAME", ...
  std::string tenant;              // label of the tenant whose name it is; empty: none
  bool challenge = false;          // ACME values are there now
};

struct Context {
  // The topology's pools, by name: how many of their endpoints are enabled. They have addresses, never names.
  std::map<std::string, std::size_t> topology_pools = {};
  std::function<NameFacts(dns::Name const&)> name_facts = {};  // none: zones are not looked at
  // Why a text is no pattern for response bodies, empty when it is one. No function: every pattern passes.
  std::function<std::string(std::string const&)> pattern_problem = {};
};

[[nodiscard]] base::Problems check(Objects const& objects, Context const& context);

// Who refers to the object: "load_balancer www.example.org. (default_pools)". An object in use cannot go.
[[nodiscard]] std::vector<std::string> users_of(Objects const& objects, Kind kind, std::string const& name);

// Whether it names the pool itself, anywhere.
[[nodiscard]] bool names_pool(Balancer const& balancer, std::string const& pool);

// "pools[web]", how paths of problems begin.
[[nodiscard]] std::string path_of(Kind kind, std::string const& name);

// Whether it has service bindings of the type, "HTTPS" or "SVCB", which then no record of the zone can have.
[[nodiscard]] bool binds(Balancer const& balancer, std::string_view type);

// Whether the balancer's origins are host names, so that it answers with CNAME.
[[nodiscard]] bool answers_cname(Objects const& objects, Balancer const& balancer);

}  // namespace steering
