// Monitors, pools and load balancers as an operator declares them. The names of objects and fields are Cloudflare Load
// Balancing's; docs/steering.md says what each means. What lookups choose from (pool::LoadBalancer) is made of them by
// build.hpp.
//
// Times are milliseconds or seconds as the name says; weights and loads are thousandths of what is written (0 to 1).
//
// Threads: plain values and pure functions.
#pragma once

#include "dns-backend/pool/pool.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace steering {

struct Monitor {
  std::string name;
  std::string description = {};
  std::string type = "tcp";  // tcp, http, https, dns, icmp, push
  std::uint16_t port = 0;    // 0: 80, 443, 53 by type; an origin's own comes first
  // http, https
  std::string method = "GET", path = "/", host = {};
  std::map<std::string, std::string> header = {};
  std::string expected_codes = "2xx", expected_body = {}, expected_body_pattern = {};
  bool follow_redirects = false, allow_insecure = false;
  std::string ca_file = {};
  // dns
  std::string qname = {}, qtype = "SOA", expected_content = {};

  std::uint32_t interval_ms = 5000, timeout_ms = 1000, retries = 0, consecutive_up = 2, consecutive_down = 3;
  bool operator==(Monitor const&) const = default;
};

struct Origin {
  std::string name;
  std::string address;        // IPv4, IPv6, or a host name
  std::string address6 = {};  // beside an IPv4 `address`
  std::uint16_t port = 0;     // of the check; 0: the monitor's
  std::uint32_t weight_permille = 1000;
  bool enabled = true;
  std::string probe_address = {};  // an IP address; empty: `address`
  bool operator==(Origin const&) const = default;
};

struct Pool {
  std::string name;
  std::string description = {};
  bool enabled = true;
  std::string monitor = {};  // empty: nobody checks, every origin counts as unknown
  std::vector<Origin> origins = {};
  std::vector<std::string> pools = {};
  std::uint32_t minimum_origins = 1;
  pool::OriginSteering origin_steering = pool::OriginSteering::all;
  std::uint32_t origins_max = 0;
  std::optional<pool::Coordinates> coordinates = {};
  std::string site = {};
  pool::AllDown all_down = pool::AllDown::serve_all;
  std::uint32_t shed_at_permille = 0;  // 0: never
  std::uint32_t quorum = 0;            // vantage points that must agree; 0: the majority
  // Of a tenant's pool alone: what the tenant calls it, and the names it answers at, relative to the tenant's: "@",
  // "*", "www".
  std::string title = {};
  std::vector<std::string> names = {};
  bool operator==(Pool const&) const = default;
};

// What clients may know before they connect (RFC 9460): a record of type HTTPS or SVCB at the balancer's name.
struct ServiceBinding {
  std::string type = "HTTPS";               // or SVCB
  std::uint16_t priority = 1;               // 0: an alias (AliasMode), which has a target and nothing else
  std::string target = ".";                 // dns::Name::text(); ".": the balancer's name itself
  std::vector<std::string> mandatory = {};  // words of mandatory_words(), in the order of their numbers
  std::vector<std::string> alpn = {};
  bool no_default_alpn = false;
  std::uint16_t port = 0;  // 0: the scheme's
  std::string ech = {};    // base64 of an ECHConfigList
  bool hints = true;       // whether the record names the addresses that are answered
  bool operator==(ServiceBinding const&) const = default;
};

struct Balancer {
  std::string name;  // dns::Name::text()
  std::string description = {};
  bool enabled = true;
  std::vector<std::string> default_pools = {};
  std::string fallback_pool = {};
  std::map<std::string, std::vector<std::string>> region_pools = {};
  std::map<std::string, std::uint32_t> pool_weights_permille = {};
  pool::Steering steering_policy = pool::Steering::off;
  std::uint32_t ttl = 30;
  std::uint32_t failback_s = 0;
  std::vector<ServiceBinding> service_bindings = {};
  bool operator==(Balancer const&) const = default;
};

enum class Kind { monitor, pool, load_balancer };
using Object = std::variant<Monitor, Pool, Balancer>;  // in the order of Kind

struct Objects {
  std::map<std::string, Monitor> monitors;
  std::map<std::string, Pool> pools;
  std::map<std::string, Balancer> load_balancers;
  bool operator==(Objects const&) const = default;
};

// "monitor", "pool", "load_balancer"; nullopt for any other word.
char const* word(Kind kind);
std::optional<Kind> kind_of(std::string_view text);
char const* plural(Kind kind);  // "load_balancers": the word of lists and routes
inline constexpr Kind kinds[] = {Kind::monitor, Kind::pool, Kind::load_balancer};

Kind kind_of(Object const& object);
std::string const& name_of(Object const& object);

std::vector<Object> all(Objects const& objects);  // monitors, pools, load balancers; each by name
std::optional<Object> find(Objects const& objects, Kind kind, std::string const& name);
void put(Objects& objects, Object object);  // replaces
void erase(Objects& objects, Kind kind, std::string const& name);

// Pools of tenants, and their monitors, are called "tenant-7/1": no operator can give such a name, and no object of an
// operator's or of another tenant's may refer to one.
std::string tenant_object(std::int64_t tenant, unsigned number);
// nullopt: an operator's.
std::optional<std::int64_t> tenant_of(std::string_view name);
// Without what is tenants'; and only that.
Objects of_operator(Objects const& objects);
Objects of_tenants(Objects const& objects);

// Names of what came, changed and went, as "pool web".
struct Difference {
  std::vector<std::string> added, changed, removed;
  [[nodiscard]] bool empty() const { return added.empty() && changed.empty() && removed.empty(); }
};
Difference difference(Objects const& before, Objects const& after);

// Every field that the object's type has; reading it back gives the same value (read.hpp).
boost::json::object to_json(Object const& object);
// {"monitors": [...], "pools": [...], "load_balancers": [...]}
boost::json::object to_json(Objects const& objects);

// The name that health is kept under: "pool/origin". A node of the topology has its plain name.
std::string endpoint_key(std::string const& pool, std::string const& origin);
std::vector<std::string> endpoint_keys(Objects const& objects);

// Words of the enumerations, as written in objects.
using OriginWords = std::vector<std::pair<std::string, pool::OriginSteering>>;
using AllDownWords = std::vector<std::pair<std::string, pool::AllDown>>;
using SteeringWords = std::vector<std::pair<std::string, pool::Steering>>;
OriginWords const& origin_words();
AllDownWords const& all_down_words();
SteeringWords const& steering_words();

}  // namespace steering
