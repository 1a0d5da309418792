// Whether what a tenant has fits into a plan: every quota but those of its clusters, which life_cycle.cpp checks.
//
// Threads: the store thread.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/tenants/plan.hpp"
#include "dns-backend/writes/write.hpp"

namespace tenants {

// `tenant` with the plan it shall have. refused: it is too small; `excess` gets each quota that is exceeded, with the
// field "plan".
base::Result<void> check_fits(store::Write const& write, Policy const& policy, store::Tenant const& tenant,
                              std::int64_t now_ms, base::Problems& excess);

// A name below the challenge zone for a domain or a registration: noted as given out, for ever. too_many: the tenant
// had the policy's number within a day; `wait_ms` says for how long.
base::Result<void> take_slug(store::Write const& write, Policy const& policy, std::int64_t tenant_id,
                             std::string const& slug, std::int64_t now_ms, std::int64_t& wait_ms);

}  // namespace tenants
