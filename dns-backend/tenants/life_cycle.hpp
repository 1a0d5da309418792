// The life of a tenant: created, renamed with an overlap of both labels, suspended, moved to another plan or other
// clusters, deleted. Each is one transaction with what is to be done afterwards (journal.hpp).
//
// Failures of all: not_found (no such tenant, zone or pool), exists (the label is taken), refused (a rule) or quota (of
// the plan; in the detail), changed (`if_match` names another revision).
//
// Threads: the store thread; the structs are values.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/tenants/plan.hpp"
#include "dns-backend/writes/write.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tenants {

struct Circumstances {
  std::int64_t now_ms = 0;
  std::optional<std::int64_t> if_match = {};  // Tenant::changed_at as the caller saw it
};

struct TenantChange {
  std::optional<std::string> label = {};
  std::optional<std::string> state = {};  // active, suspended
  std::optional<std::string> plan = {};
  std::optional<std::string> primary = {};
  std::optional<std::vector<std::string>> backups = {};
  std::optional<std::int64_t> overlap_ms = {};  // of a rename; absent: the policy's
};

// `tenant` gets its id. The label is as read_label() has it.
base::Result<void> create(store::Write const& write, Policy const& policy, store::Tenant& tenant);
// A plan is refused that is too small for what is there: `excess` gets each quota that is exceeded, with the field
// "plan" and what to do. A tenant that exceeds its plan already, because the settings changed, keeps what it has.
base::Result<void> change(store::Write const& write, Policy const& policy, std::string const& label,
                          TenantChange const& wanted, Circumstances const& when, base::Problems& excess);
// With everything of its own: records, domains, tokens. Names stop answering with the commit.
base::Result<void> remove(store::Write const& write, std::string const& label, Circumstances const& when = {});

// The tenant of this label, when it is as the caller last saw it.
base::Result<store::Tenant> expect(store::Write const& write, std::string const& label, Circumstances const& when);
// Something of the tenant's own changes with this commit.
base::Result<void> touch(store::Write const& write, std::int64_t tenant_id);
// The value of Tenant::changed_at after this commit.
std::int64_t next_revision(store::Write const& write);

}  // namespace tenants
