// What the route files of this module share: who may ask about a tenant, preconditions. Private to it,
// dns-backend/api/acme_dns, dns-backend/api/sign_up and dns-backend/api/tenant_pools.
//
// Threads: the control loop.
#pragma once

#include "base/pages/pages.hpp"
#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"
#include "dns-backend/api/tenants/tenants.hpp"
#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/tokens/rate.hpp"

#include <boost/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace api {

// Who asks about a tenant, found and allowed to.
struct Caller {
  bool admin = false;
  std::optional<tokens::Token> token;  // absent: a unix peer or certificate
  store::Tenant tenant;
};

using TenantRoute = std::function<net::Task<net::HttpResponse>(TenantDependencies const&, net::HttpRequest, Caller)>;
using OwnRoute = std::function<net::Task<net::HttpResponse>(TenantDependencies const&, net::HttpRequest)>;

enum class Where { anywhere, primary };  // primary: its tables are not replicated

// Administrators, and tokens of this tenant whose scope has the action. Another tenant's token gets 404 as for a tenant
// that does not exist. Requests that change something are refused while the tenant is suspended.
net::Handler of_tenant(TenantDependencies const& own, std::string action, Where where, TenantRoute route);
net::Handler of_administrators(TenantDependencies const& own, Where where, OwnRoute route);

// The same for what moves bundles between edges, which reload their web server for it: the tenants' own requests, all
// of one tenant's together, are 429 with Retry-After when they come too often.
TenantRoute sparing(std::shared_ptr<tokens::Rate> moves, TenantRoute route);

// 403 with what the token's scope leaves out, when it does.
std::optional<net::HttpResponse> outside_scope(Caller const& caller, tokens::Deed const& deed);

// From If-Match and the clock; a problem when the header is no revision.
base::Result<tenants::Circumstances> circumstances(TenantDependencies const& own, net::HttpRequest const& request);
std::int64_t now_ms(TenantDependencies const& own);

// 422 with one problem.
net::HttpResponse wrong(std::string field, std::string message, std::string hint);

// With the ETag of the tenant's revision.
net::HttpResponse tagged(int status, boost::json::value const& body, std::int64_t revision);
boost::json::object to_json(store::Tenant const& tenant);
boost::json::object to_json(tokens::Token const& token);  // without its secret
// The tenant after a write, for its answer.
net::Task<base::Result<store::Tenant>> tenant_by_label(TenantDependencies const& own, std::string label);

void add_life_cycle_routes(net::Router& router, TenantDependencies const& own, std::shared_ptr<tokens::Rate> moves);
void add_record_routes(net::Router& router, TenantDependencies const& own);
void add_token_routes(net::Router& router, TenantDependencies const& own);
void add_domain_routes(net::Router& router, TenantDependencies const& own);
void add_certificate_routes(net::Router& router, TenantDependencies const& own, std::shared_ptr<tokens::Rate> moves);
void add_insight_routes(net::Router& router, TenantDependencies const& own);

}  // namespace api
