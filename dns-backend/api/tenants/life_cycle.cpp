#include "dns-backend/api/tenants/routes.hpp"

#include "dns-backend/tenants/journal.hpp"
#include "dns-backend/tenants/label.hpp"
#include "dns-backend/tokens/secret.hpp"

#include <algorithm>

namespace api {
namespace {

constexpr About about_label{"label", "another label, whose names nothing else has"};

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

// The label as it is stored, or a problem. Without one it is made of the name for people, with eight random
// characters.
std::string read_wanted_label(Body& reader) {
  constexpr std::size_t stem_max = 54;
  if (!reader.has("label") && reader.has("display_name")) {
    std::string const stem = tenants::suggest_label(reader.text("display_name")).substr(0, stem_max);
    return stem + "-" + tokens::random_text(5);
  }
  std::string const given = reader.text("label");
  if (given.empty()) {
    return {};
  }
  tenants::LabelVerdict const verdict = tenants::read_label(given);
  if (!verdict.problem.empty()) {
    reader.fail("label", "'" + given.substr(0, 300) + "' cannot be a tenant: " + verdict.problem, verdict.hint);
  }
  return verdict.label;
}

std::string read_plan(TenantDependencies const& own, Body& reader, std::string plan) {
  if (!plan.empty() && tenants::find_plan(own.policy, plan) == nullptr) {
    reader.fail("plan", "there is no plan '" + plan + "'", tenants::names_of_plans(own.policy));
  }
  return plan;
}

void check_clusters(std::vector<store::PoolRow> const& pools, std::string const& primary,
                    std::vector<std::string> const& backups, Body& reader) {
  auto const check_pool = [&](std::string const& key, std::string const& name) {
    bool const known = std::any_of(pools.begin(), pools.end(), [&](auto const& pool) { return pool.name == name; });
    if (!name.empty() && !known) {
      reader.fail(key, "there is no pool '" + name + "'");
    }
  };
  check_pool("primary", primary);
  for (std::size_t i = 0; i < backups.size(); ++i) {
    std::string const key = "backups[" + std::to_string(i) + "]";
    check_pool(key, backups[i]);
    bool const again = std::find(backups.begin(), backups.begin() + static_cast<std::ptrdiff_t>(i), backups[i]) !=
                       backups.begin() + static_cast<std::ptrdiff_t>(i);
    if (again || backups[i] == primary) {
      reader.fail(key, "'" + backups[i] + "' is named twice");
    }
  }
}

store::Tenant read_tenant(TenantDependencies const& own, std::vector<store::PoolRow> const& pools, Body& reader) {
  store::Tenant tenant;
  tenant.label = read_wanted_label(reader);
  std::string const zone =
      own.api.default_zone.empty() ? reader.text("zone") : reader.text("zone", own.api.default_zone);
  if (!zone.empty()) {
    base::Result<dns::Name> const apex = dns::Name::parse(zone);
    if (!apex || !own.api.store.published().copy()->zone(*apex)) {
      reader.fail("zone", "there is no zone '" + zone + "'", "import or create it first");
    } else {
      tenant.zone = apex->text();
    }
  }
  tenant.plan = read_plan(own, reader, reader.text("plan"));
  tenant.primary = reader.text("primary");
  tenant.backups = reader.texts("backups", false);
  check_clusters(pools, tenant.primary, tenant.backups, reader);
  reader.finish();
  return tenant;
}

json::value names_of(store::Tenant const& tenant) {
  json::array former;
  for (store::FormerLabel const& one : tenant.former) {
    former.push_back(
        json::object{{"label", one.label}, {"name", one.label + "." + one.zone}, {"until_ms", one.until_ms}});
  }
  return former;
}

Answer list_tenants(TenantDependencies const& own, net::HttpRequest request) {
  auto const page = read_page(request, 1000);
  if (!page) {
    co_return refusal(page.error());
  }
  base::Result<std::vector<store::Tenant>> const tenants = co_await own.api.store.tenants();
  if (!tenants) {
    co_return refusal(tenants.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (store::Tenant const& tenant : *tenants) {
    items.emplace_back(tenant.label, to_json(tenant));
  }
  std::ranges::sort(items, {}, [](auto const& item) -> std::string const& { return item.first; });
  co_return reply(200, page_of("tenants", std::move(items), *page));
}

Answer create_tenant(TenantDependencies const& own, net::HttpRequest request) {
  Body reader(request.body);
  if (reader.broken()) {
    co_return refusal(reader.problems());
  }
  base::Result<std::vector<store::PoolRow>> const pools = co_await own.api.store.pools();
  if (!pools) {
    co_return refusal(pools.error());
  }
  auto const tenant = std::make_shared<store::Tenant>(read_tenant(own, *pools, reader));
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  tenant->created_at_ms = now_ms(own);
  store::Body body = [tenant, policy = own.policy](store::Write const& write) {
    return tenants::create(write, policy, *tenant);
  };
  auto const made = co_await own.api.store.write(std::move(body));
  if (!made && made.error().code == store::errc::not_found) {
    co_return refusal(made.error(), About{"zone", "a zone of the store: navigator zone list"});
  }
  co_return made ? tagged(201, to_json(*tenant), tenant->changed_at) : refusal(made.error(), about_label);
}

Answer get_tenant(TenantDependencies const&, net::HttpRequest, Caller caller) {
  co_return tagged(200, to_json(caller.tenant), caller.tenant.changed_at);
}

// What of a tenant the body wants changed. `administrative`: more than its clusters.
tenants::TenantChange read_change(TenantDependencies const& own, std::vector<store::PoolRow> const& pools, Body& reader,
                                  store::Tenant const& tenant, bool& administrative) {
  constexpr std::int64_t overlap_max_ms = 90LL * 24 * 3600 * 1000;
  tenants::TenantChange wanted;
  administrative = reader.has("label") || reader.has("state") || reader.has("plan") || reader.has("overlap_ms");
  if (reader.has("label")) {
    wanted.label = read_wanted_label(reader);
  }
  if (reader.has("overlap_ms")) {
    wanted.overlap_ms = reader.integer("overlap_ms", 0, overlap_max_ms);
    if (!wanted.label) {
      reader.fail("overlap_ms", "belongs to a new label", "give both, or neither");
    }
  }
  if (reader.has("state")) {
    wanted.state = reader.text("state");
    if (*wanted.state != "active" && *wanted.state != "suspended") {
      reader.fail("state", "'" + *wanted.state + "' is no state of a tenant", "active or suspended");
    }
  }
  if (reader.has("plan")) {
    wanted.plan = read_plan(own, reader, reader.text("plan"));
  }
  if (reader.has("primary")) {
    wanted.primary = reader.text("primary");
  }
  if (reader.has("backups")) {
    wanted.backups = reader.texts("backups", true);
  }
  if (wanted.primary || wanted.backups) {
    check_clusters(pools, wanted.primary.value_or(tenant.primary), wanted.backups.value_or(tenant.backups), reader);
  }
  reader.finish();
  return wanted;
}

Answer change_tenant(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  Body reader(request.body);
  if (reader.broken()) {
    co_return refusal(reader.problems());
  }
  base::Result<std::vector<store::PoolRow>> const pools = co_await own.api.store.pools();
  if (!pools) {
    co_return refusal(pools.error());
  }
  bool administrative = false;
  tenants::TenantChange const wanted = read_change(own, *pools, reader, caller.tenant, administrative);
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  if (administrative && !caller.admin) {
    co_return net::HttpResponse::problem(403, "not allowed", "a tenant's token changes 'primary' and 'backups' alone");
  }
  auto const when = circumstances(own, request);
  if (!when) {
    co_return refusal(when.error());
  }
  auto const excess = std::make_shared<base::Problems>();
  store::Body body = [label = caller.tenant.label, wanted, when = *when, policy = own.policy,
                      excess](store::Write const& write) {
    return tenants::change(write, policy, label, wanted, when, *excess);
  };
  auto const done = co_await own.api.store.write(std::move(body));
  if (!done) {
    co_return excess->empty() ? refusal(done.error(), about_label) : refusal(*excess);
  }
  auto const after = co_await tenant_by_label(own, wanted.label.value_or(caller.tenant.label));
  co_return after ? tagged(200, to_json(*after), after->changed_at) : refusal(after.error());
}

Answer delete_tenant(TenantDependencies const& own, net::HttpRequest request) {
  auto const when = circumstances(own, request);
  if (!when) {
    co_return refusal(when.error());
  }
  store::Body body = [label = request.parameters.at("label"), when = *when](store::Write const& write) {
    return tenants::remove(write, label, when);
  };
  auto const done = co_await own.api.store.write(std::move(body));
  if (!done) {
    co_return refusal(done.error());
  }
  auto const loaded = co_await own.tokens.load();
  co_return loaded ? reply_nothing() : refusal(loaded.error());
}

}  // namespace

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
  body["revision"] = tenant.changed_at;
  body["former"] = names_of(tenant);
  return body;
}

void add_life_cycle_routes(net::Router& router, TenantDependencies const& own, std::shared_ptr<tokens::Rate> moves) {
  router.add("GET", "/v1/tenants", of_administrators(own, Where::anywhere, list_tenants));
  router.add("POST", "/v1/tenants", of_administrators(own, Where::primary, create_tenant));
  router.add("GET", "/v1/tenants/{label}", of_tenant(own, "read", Where::anywhere, get_tenant));
  router.add("PATCH", "/v1/tenants/{label}", of_tenant(own, "clusters", Where::primary, sparing(moves, change_tenant)));
  router.add("DELETE", "/v1/tenants/{label}", of_administrators(own, Where::primary, delete_tenant));
}

}  // namespace api
