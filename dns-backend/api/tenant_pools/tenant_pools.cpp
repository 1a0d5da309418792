#include "dns-backend/api/tenant_pools/tenant_pools.hpp"

#include "dns-backend/api/tenants/routes.hpp"
#include "dns-backend/tenant_pools/write.hpp"

#include <algorithm>
#include <map>

namespace api {
namespace {

constexpr About about_pool{"name", "fewer pools, origins or names, and other names"};

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;
using Healths = std::map<std::string, std::string>;

Healths healths_of(TenantDependencies const& own) {
  Healths out;
  for (auto const& status : own.api.endpoints ? own.api.endpoints() : std::vector<monitor::EndpointStatus>()) {
    out[status.endpoint] = probe::name(status.effective);
  }
  return out;
}

json::object json_of(steering::Pool const& pool, steering::Monitor const& monitor, Healths const& healths) {
  json::object const stored = steering::to_json(steering::Object(pool));
  json::array origins;
  std::size_t at = 0;
  for (steering::Origin const& origin : pool.origins) {
    json::object one;
    for (char const* const key : {"address", "address6", "port", "weight", "enabled"}) {
      auto const* const value = stored.at("origins").at(at).get_object().if_contains(key);
      if (value != nullptr) {
        one[key] = *value;
      }
    }
    auto const health = healths.find(steering::endpoint_key(pool.name, origin.name));
    one["health"] = health == healths.end() ? probe::name(probe::Health::unknown) : health->second;
    origins.push_back(std::move(one));
    ++at;
  }
  json::object check;
  json::object const known = steering::to_json(steering::Object(monitor));
  for (char const* const key : {"type", "port", "method", "path", "host", "expected_codes", "expected_body",
                                "interval_ms", "timeout_ms", "consecutive_up", "consecutive_down"}) {
    if (auto const* const value = known.if_contains(key); value != nullptr) {
      check[key] = *value;
    }
  }
  return {{"name", pool.title},
          {"names", json::value_from(pool.names)},
          {"minimum_origins", pool.minimum_origins},
          {"origins", std::move(origins)},
          {"monitor", std::move(check)}};
}

net::Task<base::Result<steering::Objects>> own_objects(TenantDependencies const& own, std::int64_t tenant) {
  std::function<base::Result<steering::Objects>(store::Model const&, database::Database&)> const look =
      [tenant](store::Model const& model, database::Database&) -> base::Result<steering::Objects> {
    return tenant_pools::own_of(model.steering(), tenant);
  };
  co_return co_await own.api.store.read<steering::Objects>(look);
}

steering::Monitor monitor_of(steering::Objects const& objects, steering::Pool const& pool) {
  auto const found = objects.monitors.find(pool.monitor);
  return found == objects.monitors.end() ? steering::Monitor() : found->second;
}

// 403 when the scope leaves out the zone, one of the names, or the types that a pool answers there.
std::optional<net::HttpResponse> outside_names(Caller const& caller, std::string const& action,
                                               steering::Pool const* pool) {
  auto const top = store::tenant_name(caller.tenant.label, caller.tenant.zone);
  if (auto refused = outside_scope(caller, {action, caller.tenant.zone})) {
    return refused;
  }
  for (std::string const& relative : pool == nullptr ? std::vector<std::string>() : pool->names) {
    auto const name = store::name_within(*top, relative);
    for (char const* const type : {"A", "AAAA"}) {
      if (auto refused = outside_scope(caller, {action, caller.tenant.zone, name ? name->text() : relative, type})) {
        return refused;
      }
    }
  }
  return std::nullopt;
}

Answer list_pools(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const page = read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  auto const objects = co_await own_objects(own, caller.tenant.id);
  if (!objects) {
    co_return refusal(objects.error());
  }
  Healths const healths = healths_of(own);
  std::vector<std::pair<std::string, json::value>> items;
  for (auto const& [row, pool] : objects->pools) {
    if (outside_names(caller, "read", &pool)) {
      continue;
    }
    items.emplace_back(pool.title, json_of(pool, monitor_of(*objects, pool), healths));
  }
  std::ranges::sort(items, {}, [](auto const& item) -> std::string const& { return item.first; });
  co_return tagged(200, page_of("pools", std::move(items), *page), caller.tenant.changed_at);
}

Answer get_pool(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const objects = co_await own_objects(own, caller.tenant.id);
  if (!objects) {
    co_return refusal(objects.error());
  }
  std::string const& title = request.parameters.at("name");
  steering::Pool const* const pool = tenant_pools::find(*objects, title);
  if (pool == nullptr) {
    co_return refusal(base::fail(store::errc::not_found, "there is no pool '" + title + "'"));
  }
  if (auto const outside = outside_names(caller, "read", pool)) {
    co_return *outside;
  }
  co_return tagged(200, json_of(*pool, monitor_of(*objects, *pool), healths_of(own)), caller.tenant.changed_at);
}

Answer put_pool(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  tenants::Plan const* const plan = tenants::find_plan(own.policy, caller.tenant.plan);
  tenants::Plan const limits = plan == nullptr ? tenants::Plan() : *plan;
  tenant_pools::Boundaries const boundaries{own.policy.origins_allowed, own.policy.origins_refused};
  std::string const title = request.parameters.at("name");
  auto wanted = tenant_pools::read(request.body, title, boundaries, limits);
  if (!wanted) {
    co_return refusal(wanted.error());
  }
  auto const seen = co_await own_objects(own, caller.tenant.id);
  if (!seen) {
    co_return refusal(seen.error());
  }
  steering::Pool const* const before = tenant_pools::find(*seen, title);
  for (steering::Pool const* const pool : {before, static_cast<steering::Pool const*>(&wanted->pool)}) {
    if (auto const outside = outside_names(caller, "pools", pool)) {
      co_return *outside;
    }
  }
  auto placed = tenant_pools::place(*seen, caller.tenant.id, std::move(*wanted), limits);
  auto const when = circumstances(own, request);
  if (!placed || !when) {
    co_return refusal(placed ? when.error() : placed.error(), about_pool);
  }
  bool const added = before == nullptr;
  steering::Objects made;
  steering::put(made, placed->pool);
  auto const wish =
      std::make_shared<tenant_pools::Wish const>(tenant_pools::Wish{caller.tenant.label, *seen, std::move(*placed)});
  auto const problems = std::make_shared<base::Problems>();
  auto const changed_at = std::make_shared<std::int64_t>(caller.tenant.changed_at);
  store::Body body = [wish, problems, changed_at, when = *when](store::Write const& write) -> base::Result<void> {
    auto const put = tenant_pools::put(write, *wish, when, *problems);
    if (!put) {
      return put.error();
    }
    *changed_at = *put;
    return {};
  };
  std::vector<std::string> endpoints = steering::endpoint_keys(made);
  std::function<bool()> nothing = [problems] { return !problems->empty(); };
  auto const done = co_await own.api.store.write(std::move(body), std::move(endpoints), std::move(nothing));
  if (!done || !problems->empty()) {
    co_return done ? refusal(*problems) : refusal(done.error(), about_pool);
  }
  json::object const shown = json_of(wish->wanted.pool, wish->wanted.monitor, healths_of(own));
  co_return tagged(added ? 201 : 200, shown, *changed_at);
}

Answer delete_pool(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const when = circumstances(own, request);
  auto const seen = co_await own_objects(own, caller.tenant.id);
  if (!when || !seen) {
    co_return refusal(when ? seen.error() : when.error());
  }
  std::string const title = request.parameters.at("name");
  if (auto const outside = outside_names(caller, "pools", tenant_pools::find(*seen, title))) {
    co_return *outside;
  }
  store::Body body = [label = caller.tenant.label, title, seen = *seen, when = *when](store::Write const& write) {
    return tenant_pools::remove(write, label, title, seen, when);
  };
  auto const done = co_await own.api.store.write(std::move(body));
  co_return done ? reply_nothing() : refusal(done.error(), about_pool);
}

}  // namespace

void add_tenant_pool_routes(net::Router& router, TenantDependencies const& own) {
  std::string const all = "/v1/tenants/{label}/pools";
  std::string const one = all + "/{name}";
  router.add("GET", all, of_tenant(own, "read", Where::anywhere, list_pools));
  router.add("GET", one, of_tenant(own, "read", Where::anywhere, get_pool));
  router.add("PUT", one, of_tenant(own, "pools", Where::primary, put_pool));
  router.add("DELETE", one, of_tenant(own, "pools", Where::primary, delete_pool));
}

}  // namespace api
