// PowerDNS's HTTP API (/api/v1/servers/localhost/...) on Navigator's server, as pdns_server 4.7 answers it, so that
// lego, octoDNS, external-dns, Terraform and other clients of it work unchanged. README.md lists routes and
// differences.
//
// Who may ask: whoever may use Navigator's own API, and everybody who brings the key in X-API-Key; others get 401. On a
// replica, writes are passed on to the primary.
//
// Threads: everything runs on the control loop.
#pragma once

#include "dns-backend/powerdns/zones/dependencies.hpp"

namespace powerdns {

// `dependencies` and all it refers to must outlive the router.
void add_routes(net::Router& router, Dependencies const& dependencies);

}  // namespace powerdns
