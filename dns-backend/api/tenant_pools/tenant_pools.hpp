// The routes of tenants' own pools; README.md lists them.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/tenants/tenants.hpp"

namespace api {

// `dependencies` and all it refers to must outlive the router.
void add_tenant_pool_routes(net::Router& router, TenantDependencies const& dependencies);

}  // namespace api
