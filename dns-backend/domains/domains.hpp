// Domains of tenants' own in the store: claimed, verified, failing, lost.
//
// A claim reserves nothing and ends after a week; who proves a domain has it, and what another had of it ends there.
// One that is verified and does not lead here any longer is failing: it answers on and gets no certificate; a week
// after the first bad look it is a claim again. So a domain that changes hands is free, and one bad minute of a
// resolver costs nobody a domain.
//
// Threads: read_domain() and next_look_ms() are pure; the rest the store thread.
#pragma once

#include "dns-backend/domains/verify.hpp"
#include "dns-backend/tenants/life_cycle.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace domains {

inline constexpr std::int64_t claim_ms = 7LL * 24 * 3600 * 1000;
inline constexpr std::int64_t grace_ms = 7LL * 24 * 3600 * 1000;

struct DomainVerdict {
  std::string name;  // "www.customer.example."; empty with a problem
  std::string problem;
  std::string hint;
};
// Host names of two labels and more; no wildcard, no escapes.
DomainVerdict read_domain(std::string_view text);

// What the last look saw.
struct Check {
  std::int64_t at_ms = 0;
  std::int64_t next_ms = 0;
  std::int64_t failures = 0;  // in a row
  std::string reason;         // "code: reason"; empty: all well
};
struct Seen {
  store::Domain domain;
  std::optional<Check> check;
};

// `domain` gets everything but its name, which is read_domain()'s. The same claim again yields what is there. refused:
// a name of the platform's own, the plan's quota; too_many: of a day's, and `wait_ms` says for how long.
base::Result<void> claim(store::Write const& write, tenants::Policy const& policy, std::string const& label,
                         store::Domain& domain, tenants::Circumstances const& when, std::int64_t& wait_ms);
// not_found: the tenant does not have it.
base::Result<void> remove(store::Write const& write, std::string const& label, std::string const& name,
                          tenants::Circumstances const& when);

// Takes a verdict in. One that is "ok" for a name which another tenant has takes it from him, with his claim: unless
// he verified it and the CNAMEs name him, which becomes "taken" in `verdict`.
base::Result<void> settle(store::Write const& write, std::int64_t id, Verdict& verdict, std::int64_t now_ms);
// Claims whose time is over go.
base::Result<void> sweep(store::Write const& write, std::int64_t now_ms);

// How long until the next look after so many failures in a row.
std::int64_t next_look_ms(std::string const& state, std::int64_t failures);

base::Result<std::vector<Seen>> list(store::Model const& model, database::Database& database, std::int64_t tenant_id);
// Ids of those whose next look is due, the longest due first.
base::Result<std::vector<std::int64_t>> due(database::Database& database, std::int64_t now_ms, std::size_t most);
// What a look at it has to find; nullopt: it is gone.
std::optional<Wanted> wanted_of(store::Model const& model, std::string const& challenge_zone, std::int64_t id);

// One certificate for each name by itself, so that one broken CNAME is in nobody else's way.
struct WantedCertificate {
  enum class Kind { own, former, domain };  // the tenant's name, one of before a rename, a domain of its own
  Kind kind = Kind::own;
  std::int64_t tenant_id = 0;
  std::int64_t domain_id = 0;      // 0: a name of the tenant
  std::string tenant;              // the present label
  std::string label;               // of the name: the present or a former one; empty for a domain
  std::string name;                // without final dot
  std::vector<std::string> names;  // of the certificate: the name, and for a tenant's its wildcard; sorted
  std::string challenge_name;      // where its TXT values go: delegated from _acme-challenge.NAME; empty: at that name
  bool failing = false;            // a domain that did not lead here at the last look: kept, not renewed
  bool operator==(WantedCertificate const&) const = default;
};
// Of tenants that are active; `tenants`: of these alone. A domain keeps its certificate while it is failing.
std::vector<WantedCertificate> wanted_certificates(store::Model const& model, std::string const& challenge_zone,
                                                   std::set<std::int64_t> const* tenants = nullptr);

}  // namespace domains
