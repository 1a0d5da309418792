// The protocol of acme-dns on Navigator's router: POST /register and POST /update; and what was registered:
// GET /v1/tenants/{label}/registrations, DELETE .../registrations/{subdomain}.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/tenants/tenants.hpp"

namespace api {

// `dependencies` and all it refers to must outlive the router.
void add_acme_dns_routes(net::Router& router, TenantDependencies const& dependencies);

}  // namespace api
