// The routes of each sort of object, a file each. Private to this module.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/powerdns/zones/dependencies.hpp"

namespace powerdns {

void add_zone_action_routes(net::Router& router, Dependencies const& dependencies);
void add_metadata_routes(net::Router& router, Dependencies const& dependencies);
void add_cryptokey_routes(net::Router& router, Dependencies const& dependencies);
void add_tsigkey_routes(net::Router& router, Dependencies const& dependencies);
void add_server_routes(net::Router& router, Dependencies const& dependencies);

}  // namespace powerdns
