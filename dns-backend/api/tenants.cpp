#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

json::object to_json(store::Tenant const& tenant) {
  json::object body;
  body["id"] = tenant.id;
  body["label"] = tenant.label;
  body["zone"] = tenant.zone;
  body["name"] = tenant.label + "." + tenant.zone;
  body["plan"] = tenant.plan;
  body["primary"] = tenant.primary;
  body["backups"] = json::value_from(tenant.backups);
  body["state"] = tenant.state;
  body["created_at_ms"] = tenant.created_at_ms;
  return body;
}

// A host label (RFC 952, 1123): what a certificate may carry and a person may type.
bool is_label(std::string_view text) {
  auto const good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), good) && text.front() != '-' &&
         text.back() != '-';
}

store::Tenant read_tenant(Dependencies const& api, std::vector<store::PoolRow> const& pools, Body& reader) {
  store::Tenant tenant;
  tenant.label = reader.text("label");
  if (!tenant.label.empty() && !is_label(tenant.label)) {
    reader.fail("label", "'" + tenant.label + "' is no host label", "a to z, 0 to 9 and '-' inside, at most 63");
  }
  std::string const zone = api.default_zone.empty() ? reader.text("zone") : reader.text("zone", api.default_zone);
  if (!zone.empty()) {
    base::Result<dns::Name> const apex = dns::Name::parse(zone);
    if (!apex || !api.store.published().copy()->zone(*apex)) {
      reader.fail("zone", "there is no zone '" + zone + "'", "import or create it first");
    } else {
      tenant.zone = apex->text();
    }
  }
  tenant.plan = reader.text("plan");
  tenant.primary = reader.text("primary");
  tenant.backups = reader.texts("backups", false);
  auto const check_pool = [&](std::string const& key, std::string const& name) {
    bool const known = std::any_of(pools.begin(), pools.end(), [&](auto const& pool) { return pool.name == name; });
    if (!name.empty() && !known) {
      reader.fail(key, "there is no pool '" + name + "'");
    }
  };
  check_pool("primary", tenant.primary);
  for (std::size_t i = 0; i < tenant.backups.size(); ++i) {
    std::string const key = "backups[" + std::to_string(i) + "]";
    check_pool(key, tenant.backups[i]);
    bool const again = std::find(tenant.backups.begin(), tenant.backups.begin() + static_cast<std::ptrdiff_t>(i),
                                 tenant.backups[i]) != tenant.backups.begin() + static_cast<std::ptrdiff_t>(i);
    if (again || tenant.backups[i] == tenant.primary) {
      reader.fail(key, "'" + tenant.backups[i] + "' is named twice");
    }
  }
  reader.finish();
  return tenant;
}

Answer list_tenants(Dependencies const& api, net::HttpRequest) {
  base::Result<std::vector<store::Tenant>> const tenants = co_await api.store.tenants();
  if (!tenants) {
    co_return refusal(tenants.error());
  }
  json::array list;
  for (store::Tenant const& tenant : *tenants) {
    list.push_back(to_json(tenant));
  }
  json::object body;
  body["tenants"] = std::move(list);
  co_return reply(200, body);
}

Answer create_tenant(Dependencies const& api, net::HttpRequest request) {
  Body reader(request.body);
  if (reader.broken()) {
    co_return refusal(reader.problems());
  }
  base::Result<std::vector<store::PoolRow>> const pools = co_await api.store.pools();
  if (!pools) {
    co_return refusal(pools.error());
  }
  store::Tenant tenant = read_tenant(api, *pools, reader);
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  base::Result<store::Tenant> const made = co_await api.store.create_tenant(std::move(tenant));
  co_return made ? reply(201, to_json(*made)) : refusal(made.error());
}

Answer get_tenant(Dependencies const& api, net::HttpRequest request) {
  std::string const label = request.parameters.at("label");
  base::Result<std::vector<store::Tenant>> const tenants = co_await api.store.tenants();
  if (!tenants) {
    co_return refusal(tenants.error());
  }
  auto const found =
      std::find_if(tenants->begin(), tenants->end(), [&](store::Tenant const& one) { return one.label == label; });
  if (found == tenants->end()) {
    co_return refusal(base::fail(store::errc::not_found, "there is no tenant '" + label + "'"));
  }
  co_return reply(200, to_json(*found));
}

Answer delete_tenant(Dependencies const& api, net::HttpRequest request) {
  base::Result<store::Revision> const done = co_await api.store.delete_tenant(request.parameters.at("label"));
  co_return done ? reply_nothing() : refusal(done.error());
}

}  // namespace

void add_tenant_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("GET", "/v1/tenants", administrators(dependencies, list_tenants));
  router.add("POST", "/v1/tenants", writes(dependencies, create_tenant));
  router.add("GET", "/v1/tenants/{label}", administrators(dependencies, get_tenant));
  router.add("DELETE", "/v1/tenants/{label}", writes(dependencies, delete_tenant));
}

}  // namespace api
