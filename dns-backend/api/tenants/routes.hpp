// What the route files of this module share: who may ask about a tenant, pages, preconditions. Private to it,
// dns-backend/api/acme_dns, dns-backend/api/sign_up and dns-backend/api/tenant_pools.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"
#include "dns-backend/api/tenants/tenants.hpp"
#include "dns-backend/tenants/life_cycle.hpp"

#include <boost/json.hpp>

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

// 403 with what the token's scope leaves out, when it does.
std::optional<net::HttpResponse> outside_scope(Caller const& caller, tokens::Deed const& deed);

// From If-Match and the clock; a problem when the header is no revision.
base::Result<tenants::Circumstances> circumstances(TenantDependencies const& own, net::HttpRequest const& request);
std::int64_t now_ms(TenantDependencies const& own);

// 422 with one problem.
net::HttpResponse wrong(std::string field, std::string message, std::string hint);

// A page of a list: ?limit= (1 to 1000) and ?cursor=, the key after which it begins.
struct Page {
  std::size_t limit = 100;
  std::string cursor;
};
// A 422 when the limit is none.
boost::system::result<Page, base::Problems> read_page(net::HttpRequest const& request, std::size_t limit);
// `items` by key in order; the answer has the page under `name`, and `next` when there is more.
boost::json::object page_of(std::string const& name, std::vector<std::pair<std::string, boost::json::value>> items,
                            Page const& page);

// With the ETag of the tenant's revision.
net::HttpResponse tagged(int status, boost::json::value const& body, std::int64_t revision);
boost::json::object to_json(store::Tenant const& tenant);
boost::json::object to_json(tokens::Token const& token);  // without its secret
// The tenant after a write, for its answer.
net::Task<base::Result<store::Tenant>> tenant_by_label(TenantDependencies const& own, std::string label);

void add_life_cycle_routes(net::Router& router, TenantDependencies const& own);
void add_record_routes(net::Router& router, TenantDependencies const& own);
void add_token_routes(net::Router& router, TenantDependencies const& own);
void add_domain_routes(net::Router& router, TenantDependencies const& own);
void add_certificate_routes(net::Router& router, TenantDependencies const& own);
void add_insight_routes(net::Router& router, TenantDependencies const& own);

}  // namespace api
