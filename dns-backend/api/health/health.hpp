// The routes of orders about endpoints, of endpoints' own reports and of the changes of health; README.md of
// dns-backend/api lists them.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/api.hpp"

namespace api {

// `dependencies` and all it refers to must outlive the router. Reports need its monitor.
void add_health_routes(net::Router& router, Dependencies const& dependencies);

// The three files of this module.
void add_override_routes(net::Router& router, Dependencies const& dependencies);
void add_report_routes(net::Router& router, Dependencies const& dependencies);
void add_transition_routes(net::Router& router, Dependencies const& dependencies);

}  // namespace api
