// What is only looked at: a tenant's status, clusters and certificates, and the description of the API.
#include "dns-backend/api/tenants/routes.hpp"

#include "dns-backend/api/tenants/openapi.hpp"
#include "dns-backend/tenants/journal.hpp"

#include <algorithm>
#include <map>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

struct Standing {
  std::vector<tenants::Intent> pending;
  std::string applied;  // the label that every site answers
};

net::Task<base::Result<Standing>> standing(TenantDependencies const& own, std::int64_t tenant_id) {
  std::function<base::Result<Standing>(database::Database&)> const look =
      [tenant_id](database::Database& database) -> base::Result<Standing> {
    auto pending = tenants::pending(database, tenant_id);
    auto const applied = database.query("SELECT label FROM tenant_applied WHERE tenant_id = ?", {tenant_id});
    if (!pending || !applied) {
      return pending ? applied.error() : pending.error();
    }
    return Standing{std::move(*pending), applied->empty() ? "" : database::text(applied->front()[0])};
  };
  co_return co_await own.api.store.thread().run<Standing>(look);
}

// Those that the token's scope has the names of.
json::array certificates_of(TenantDependencies const& own, Caller const& caller) {
  json::array all = own.certificates ? own.certificates(caller.tenant.id) : json::array();
  json::array out;
  for (json::value& one : all) {
    std::string name(one.at("name").as_string());
    if (!outside_scope(caller, {"read", {}, std::move(name)})) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

// The names that lead to the tenant's clusters, the preferred one first: its own, each cluster's, everybody's.
json::array tiers_of(TenantDependencies const& own, store::Tenant const& tenant) {
  json::array names;
  auto const add = [&names](char const* tier, std::string const& name) {
    names.push_back(json::object{{"tier", tier}, {"name", name}});
  };
  add("tenant", tenant.label + "." + tenant.zone);
  if (!own.policy.cluster_zone.empty()) {
    add("cluster", tenant.primary + "." + own.policy.cluster_zone);
    for (std::string const& backup : tenant.backups) {
      add("cluster", backup + "." + own.policy.cluster_zone);
    }
  }
  if (!own.policy.global_name.empty()) {
    add("global", own.policy.global_name);
  }
  return names;
}

Answer get_status(TenantDependencies const& own, net::HttpRequest, Caller caller) {
  auto const now = co_await standing(own, caller.tenant.id);
  if (!now) {
    co_return refusal(now.error());
  }
  json::array pending;
  for (tenants::Intent const& one : now->pending) {
    pending.push_back(json::object{{"what", one.kind},
                                   {"label", one.label},
                                   {"not_before_ms", one.not_before_ms},
                                   {"attempts", one.attempts},
                                   {"last_error", one.last_error}});
  }
  json::object body = to_json(caller.tenant);
  body["names"] = tiers_of(own, caller.tenant);
  // Names by the journal; records, pools, domains and clusters by the revision that the last change of anything of the
  // tenant's own made.
  bool const acknowledged = !own.is_everywhere || own.is_everywhere(caller.tenant.changed_at);
  body["everywhere"] = now->applied == caller.tenant.label && acknowledged;
  body["pending"] = std::move(pending);
  body["certificates"] = certificates_of(own, caller);
  co_return tagged(200, body, caller.tenant.changed_at);
}

Answer get_certificates(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const page = net::read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  json::array certificates = certificates_of(own, caller);
  std::vector<std::pair<std::string, json::value>> items;
  for (json::value& one : certificates) {
    items.emplace_back(one.as_object().at("name").as_string(), std::move(one));
  }
  std::ranges::sort(items, {}, &std::pair<std::string, json::value>::first);
  co_return reply(200, net::page_of("certificates", std::move(items), *page));
}

Answer get_clusters(TenantDependencies const& own, net::HttpRequest, Caller caller) {
  auto const pools = co_await own.api.store.pools();
  if (!pools) {
    co_return refusal(pools.error());
  }
  std::map<std::string, std::string> health;
  for (auto const& status : own.api.endpoints ? own.api.endpoints() : std::vector<monitor::EndpointStatus>()) {
    health[status.endpoint] = probe::name(status.effective);
  }
  std::vector<std::string> wanted{caller.tenant.primary};
  wanted.insert(wanted.end(), caller.tenant.backups.begin(), caller.tenant.backups.end());
  json::array clusters;
  for (std::string const& name : wanted) {
    auto const pool = std::ranges::find(*pools, name, &store::PoolRow::name);
    if (pool == pools->end()) {
      continue;
    }
    json::array endpoints;
    for (auto const& one : pool->endpoints) {
      auto const known = health.find(one.name);
      endpoints.push_back(json::object{{"name", one.name},
                                       {"address4", one.address4},
                                       {"address6", one.address6},
                                       {"health", known == health.end() ? "unknown" : known->second}});
    }
    clusters.push_back(json::object{{"name", name},
                                    {"role", name == caller.tenant.primary ? "primary" : "backup"},
                                    {"site", pool->site},
                                    {"endpoints", std::move(endpoints)}});
  }
  co_return tagged(200, json::object{{"clusters", std::move(clusters)}}, caller.tenant.changed_at);
}

Answer get_openapi() {
  net::HttpResponse response = net::HttpResponse::text(200, std::string(openapi_yaml()));
  response.headers.set("Content-Type", "application/yaml");
  co_return response;
}

}  // namespace

void add_insight_routes(net::Router& router, TenantDependencies const& own) {
  std::string const tenant = "/v1/tenants/{label}";
  router.add("GET", tenant + "/status", of_tenant(own, "read", Where::primary, get_status));
  router.add("GET", tenant + "/clusters", of_tenant(own, "read", Where::anywhere, get_clusters));
  router.add("GET", tenant + "/certificates", of_tenant(own, "read", Where::primary, get_certificates));
  // It tells nothing that is secret, and who reads it has no token yet.
  router.add("GET", "/v1/openapi.yaml", [](net::HttpRequest) { return get_openapi(); });
}

}  // namespace api
