// The audit log as it is read: all of it by administrators, a tenant's own by its tokens. A token with a name pattern
// sees the rows about names that it reaches, and no others.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/tenants/tenants.hpp"

#include <string>
#include <string_view>

namespace api {

// The name that a request's target is about, without final dot, for the routes of a tenant's records, domains,
// certificates and registrations; empty for what is about no name. `tenant_name`: the tenant's own.
std::string name_in_target(std::string_view target, std::string const& tenant_name, std::string const& challenge_zone);

// `dependencies` and all it refers to must outlive the router.
void add_audit_routes(net::Router& router, TenantDependencies const& dependencies);

}  // namespace api
