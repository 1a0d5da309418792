// The routes of invitations, for administrators.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/tenants/tenants.hpp"
#include "dns-backend/invitations/sign_up.hpp"

namespace api {

// `own` and `terms` must outlive the router.
void add_invitation_routes(net::Router& router, TenantDependencies const& own, invitations::Terms const& terms);

}  // namespace api
