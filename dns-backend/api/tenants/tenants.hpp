// The routes of tenants: their life for administrators, and what tenants do themselves with their tokens. README.md
// lists them; docs/openapi.yaml describes them and is served beside them.
//
// A tenant's token sees its own tenant and nothing else: what belongs to others is answered exactly as what does not
// exist.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/api.hpp"
#include "dns-backend/domains/verify.hpp"
#include "dns-backend/tenants/plan.hpp"
#include "dns-backend/tokens/tokens.hpp"

#include <boost/json/fwd.hpp>

#include <functional>
#include <string>

namespace api {

struct TenantDependencies {
  Dependencies const& api;
  tokens::Tokens& tokens;
  tenants::Policy policy = {};
  // Certificates of the tenant with this label, as /v1/status shows them; a list. May be empty.
  std::function<boost::json::value(std::string const& label)> certificates = {};
  // Looks at a domain now, and says what it found as domains::Verifier does. May be empty: 503.
  std::function<net::Task<base::Result<domains::Verdict>>(std::int64_t domain_id)> verify = {};
  std::function<std::int64_t()> now_ms = {};  // Unix time; empty: the clock
};

// `dependencies` and all it refers to must outlive the router.
void add_tenant_routes(net::Router& router, TenantDependencies const& dependencies);

}  // namespace api
