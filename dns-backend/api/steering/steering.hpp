// The routes of monitors, pools and load balancers; README.md of dns-backend/api lists them.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/api.hpp"

namespace api {

// `dependencies` and all it refers to must outlive the router.
void add_steering_routes(net::Router& router, Dependencies const& dependencies);

}  // namespace api
