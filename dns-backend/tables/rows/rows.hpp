// Rows of the small tables as values, and how names and lists are written in columns.
//
// Threads: plain values and pure functions.
#pragma once

#include "dns-backend/dns/name.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace store {

// A label a tenant had before it was renamed; answered like the present one until then.
struct FormerLabel {
  std::string label;
  std::string zone;
  std::int64_t until_ms = 0;  // Unix time; it ends later when the new label is not yet everywhere
  bool operator==(FormerLabel const&) const = default;
};

struct Tenant {
  std::int64_t id = 0;
  std::string label;  // "acme-tv": one DNS label
  std::string zone;   // apex of the platform zone it lives in
  std::string plan;
  std::string primary;  // pool names
  std::vector<std::string> backups;
  std::string state = "active";  // "active", "suspended"
  std::int64_t created_at_ms = 0;
  std::int64_t changed_at = 0;           // the revision that last changed the tenant or something of its own: its ETag
  std::vector<FormerLabel> former = {};  // in the order of labels
};

// A domain of a tenant's own. A claim reserves nothing: several tenants may claim a name, one can have it verified.
struct Domain {
  std::int64_t id = 0;
  std::int64_t tenant_id = 0;
  std::string name;   // as dns::Name::text()
  std::string slug;   // the label below the challenge zone where its ACME challenges go; never used twice
  std::string proof;  // the TXT value that proves who owns the name
  std::string state;  // "claimed", "verified", "failing": verified before, but not at the last look
  std::int64_t created_at_ms = 0;
  std::int64_t expires_at_ms = 0;  // of a claim; of a failing one when it is lost
  std::int64_t verified_at_ms = 0;
  [[nodiscard]] bool owned() const { return state == "verified" || state == "failing"; }
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

// JSON arrays of strings, the form lists take in a column. nullopt: it is none.
std::string to_json(std::vector<std::string> const& list);
std::optional<std::vector<std::string>> from_json(std::string const& text);

// A TXT content of one or more quoted strings of at most 255 octets each.
std::string txt_content(std::string const& value);

// A name relative to a tenant's: "@" is that, "www" and "*" are below; nullopt when that is no name.
std::optional<dns::Name> name_within(dns::Name const& tenant, std::string const& relative);

// label.zone; nullopt when that is no name.
std::optional<dns::Name> tenant_name(std::string const& label, std::string const& zone);

}  // namespace store
