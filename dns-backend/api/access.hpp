// Who may ask, where a write happens, and a zone's stored records as values: for the modules that register routes of
// their own beside these (dns-backend/powerdns).
//
// Threads: the control loop; content_of() may be called from any.
#pragma once

#include "dns-backend/api/api.hpp"

#include <vector>

namespace api {

// What a replica tells its primary: the IP address of the client whose request it passes on.
inline constexpr char const* client_header = "Navigator-Client";

// What a route tells the audit log beside what the gate (dns-backend/api/gate) sees: whose row it is, by the tenant's
// id, and why. The gate takes them off the answer. A refused stranger's row is written only when there is a reason.
inline constexpr char const* log_tenant_header = "Navigator-Log-Tenant";
inline constexpr char const* log_reason_header = "Navigator-Log-Reason";

// Asked by people whom nobody knows yet: through a replica it is their deed and not the replica's.
inline constexpr char const* sign_up_path = "/v1/sign-up";

// Where hosts with a client of acme-dns register.
inline constexpr char const* register_path = "/register";

// The token of "Authorization: Bearer ..." (RFC 6750 2.1); empty without one. On register_path also the password of
// "Basic" (RFC 7617), whatever the user is called: clients of acme-dns send no header of their own choice, but what is
// in the URL of the server that they are given.
std::string bearer(net::HttpRequest const& request);

// With a bearer token: an administrator's. Without: a unix peer, or a TLS peer whose certificate name is in `admins`.
bool is_administrator(Dependencies const& dependencies, net::HttpRequest const& request);

// On a replica: passes the request on to the primary under this process's certificate. 502 when the primary cannot be
// asked, 508 when the request was forwarded already.
net::Task<net::HttpResponse> forward(Dependencies const& dependencies, net::HttpRequest request);

// Every stored RRset of a zone in canonical order; what only balancers answer is not among them.
std::vector<dns::OwnedRRset> content_of(store::Zone const& zone);

}  // namespace api
