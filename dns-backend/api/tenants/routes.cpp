#include "dns-backend/api/tenants/routes.hpp"

#include "dns-backend/api/access.hpp"

#include <charconv>
#include <chrono>

namespace api {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

bool is_change(std::string const& method) {
  return method != "GET" && method != "HEAD";
}

HttpResponse not_allowed() {
  return HttpResponse::problem(403, "not allowed", "this needs the unix socket or an administrator's certificate");
}

HttpResponse no_such_tenant(std::string const& label) {
  return refusal(base::fail(store::errc::not_found, "there is no tenant '" + label + "'"));
}

net::Task<HttpResponse> as_tenant(TenantDependencies const& own, std::string action, Where where, TenantRoute route,
                                  HttpRequest request) {
  Caller caller;
  caller.admin = is_administrator(own.api, request);
  if (tokens::Token const* const token = own.tokens.by_id(request.peer.token); token != nullptr) {
    caller.token = *token;
  }
  if (!caller.admin && !caller.token) {
    co_return not_allowed();
  }
  if (own.api.primary != nullptr && (where == Where::primary || is_change(request.method))) {
    co_return co_await forward(own.api, std::move(request));
  }
  std::string const label = request.parameters.at("label");
  auto tenant = co_await tenant_by_label(own, label);
  bool const foreign = tenant && caller.token && !caller.admin && caller.token->tenant_id != tenant->id;
  if (foreign || (!tenant && tenant.error().code == store::errc::not_found)) {
    co_return no_such_tenant(label);
  }
  if (!tenant) {
    co_return refusal(tenant.error());
  }
  caller.tenant = std::move(*tenant);
  if (auto refused = outside_scope(caller, {action}); refused) {
    co_return *refused;
  }
  if (!caller.admin && is_change(request.method) && caller.tenant.state != "active") {
    co_return HttpResponse::problem(403, "suspended", "the tenant is suspended: nothing of it can be changed");
  }
  co_return co_await route(own, std::move(request), std::move(caller));
}

net::Task<HttpResponse> as_administrator(TenantDependencies const& own, Where where, OwnRoute route,
                                         HttpRequest request) {
  if (!is_administrator(own.api, request)) {
    co_return not_allowed();
  }
  if (own.api.primary != nullptr && (where == Where::primary || is_change(request.method))) {
    co_return co_await forward(own.api, std::move(request));
  }
  co_return co_await route(own, std::move(request));
}

net::Task<HttpResponse> gently(std::shared_ptr<tokens::Rate> moves, TenantRoute route, TenantDependencies const& own,
                               HttpRequest request, Caller caller) {
  int const wait_s = caller.admin ? 0 : moves->take(std::to_string(caller.tenant.id), std::chrono::steady_clock::now());
  if (wait_s != 0) {
    HttpResponse response = HttpResponse::problem(
        429, "too many requests",
        "edges reload their web server for each change of certificates and clusters; wait as long as Retry-After says");
    response.headers.set("Retry-After", std::to_string(wait_s));
    co_return response;
  }
  co_return co_await route(own, std::move(request), std::move(caller));
}

}  // namespace

TenantRoute sparing(std::shared_ptr<tokens::Rate> moves, TenantRoute route) {
  return [moves, route](TenantDependencies const& own, HttpRequest request, Caller caller) {
    return gently(moves, route, own, std::move(request), std::move(caller));
  };
}

net::Handler of_tenant(TenantDependencies const& own, std::string action, Where where, TenantRoute route) {
  return [&own, action = std::move(action), where, route = std::move(route)](HttpRequest request) {
    return as_tenant(own, action, where, route, std::move(request));
  };
}

net::Handler of_administrators(TenantDependencies const& own, Where where, OwnRoute route) {
  return [&own, where, route = std::move(route)](HttpRequest request) {
    return as_administrator(own, where, route, std::move(request));
  };
}

std::optional<HttpResponse> outside_scope(Caller const& caller, tokens::Deed const& deed) {
  std::string const lacking = caller.token ? tokens::forbidden(caller.token->scope, deed) : "";
  if (caller.admin || lacking.empty()) {
    return std::nullopt;
  }
  return HttpResponse::problem(403, "outside the token's scope", "the token does not reach " + lacking);
}

std::int64_t now_ms(TenantDependencies const& own) {
  if (own.now_ms) {
    return own.now_ms();
  }
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

base::Result<tenants::Circumstances> circumstances(TenantDependencies const& own, HttpRequest const& request) {
  tenants::Circumstances when{now_ms(own), {}};
  std::string_view text = request.headers.get("If-Match");
  if (text.empty() || text == "*") {
    return when;
  }
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  text = text.substr(0, text.find('-'));  // behind it: what of an answer no revision counts
  std::int64_t revision = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  // A tag that was never given out matches nothing.
  when.if_match = error == std::errc() && end == text.data() + text.size() ? revision : -1;
  return when;
}

HttpResponse wrong(std::string field, std::string message, std::string hint) {
  base::Problems const problems{{{"request", 0, 0}, std::move(field), std::move(message), std::move(hint)}};
  return refusal(problems);
}

HttpResponse tagged(int status, json::value const& body, std::int64_t revision) {
  HttpResponse response = reply(status, body);
  response.headers.set("ETag", "\"" + std::to_string(revision) + "\"");
  return response;
}

net::Task<base::Result<store::Tenant>> tenant_by_label(TenantDependencies const& own, std::string label) {
  std::function<base::Result<store::Tenant>(store::Model const&, database::Database&)> const look =
      [label](store::Model const& model, database::Database&) -> base::Result<store::Tenant> {
    store::Tenant const* const tenant = model.tenant(label);
    return tenant != nullptr ? base::Result<store::Tenant>(*tenant)
                             : base::fail(store::errc::not_found, "there is no tenant '" + label + "'");
  };
  co_return co_await own.api.store.read<store::Tenant>(look);
}

void add_tenant_routes(net::Router& router, TenantDependencies const& own) {
  constexpr std::size_t tenants_max = 100000;  // told apart
  auto const moves = std::make_shared<tokens::Rate>(own.moves, tenants_max);
  add_life_cycle_routes(router, own, moves);
  add_record_routes(router, own);
  add_token_routes(router, own);
  add_domain_routes(router, own);
  add_certificate_routes(router, own, moves);
  add_insight_routes(router, own);
}

}  // namespace api
