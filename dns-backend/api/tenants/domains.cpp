// Domains of tenants' own.
#include "dns-backend/api/tenants/routes.hpp"

#include "dns-backend/domains/domains.hpp"

#include <algorithm>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;
using List = std::vector<domains::Seen>;

std::string without_dot(std::string const& name) {
  return name.substr(0, name.size() - 1);
}

json::object json_of(TenantDependencies const& own, store::Tenant const& tenant, domains::Seen const& seen) {
  store::Domain const& domain = seen.domain;
  json::array set;
  set.push_back(json::object{{"name", std::string(domains::proof_label) + "." + domain.name},
                             {"type", "TXT"},
                             {"content", domain.proof},
                             {"why", "proves who owns the domain"}});
  set.push_back(json::object{{"name", domain.name},
                             {"type", "CNAME"},
                             {"content", tenant.label + "." + tenant.zone},
                             {"why", "leads here; at an apex ALIAS or the like"}});
  if (!own.policy.challenge_zone.empty()) {
    auto const labels = own.challenge_labels ? own.challenge_labels() : std::vector<std::string>{"_acme-challenge"};
    for (std::string const& label : labels) {
      set.push_back(json::object{{"name", label + "." + domain.name},
                                 {"type", "CNAME"},
                                 {"content", domain.slug + "." + own.policy.challenge_zone},
                                 {"why", label == labels.front() ? "lets its certificate be renewed"
                                                                 : "lets it be renewed at a further authority"}});
    }
  }
  json::object body{{"name", without_dot(domain.name)},      {"state", domain.state},
                    {"records_to_set", std::move(set)},      {"created_at_ms", domain.created_at_ms},
                    {"expires_at_ms", domain.expires_at_ms}, {"verified_at_ms", domain.verified_at_ms}};
  if (seen.check) {
    body["checked_at_ms"] = seen.check->at_ms;
    body["next_check_ms"] = seen.check->next_ms;
    body["reason"] = seen.check->reason;
  }
  return body;
}

net::Task<base::Result<List>> domains_of(TenantDependencies const& own, std::int64_t tenant_id) {
  std::function<base::Result<List>(store::Model const&, database::Database&)> const look =
      [tenant_id](store::Model const& model, database::Database& database) {
        return domains::list(model, database, tenant_id);
      };
  co_return co_await own.api.store.read<List>(look);
}

// The one of the request's path.
net::Task<base::Result<domains::Seen>> find(TenantDependencies const& own, net::HttpRequest const& request,
                                            store::Tenant const& tenant) {
  std::string const text = request.parameters.at("name");
  auto const list = co_await domains_of(own, tenant.id);
  if (!list) {
    co_return list.error();
  }
  domains::DomainVerdict const wanted = domains::read_domain(text);
  auto const found = std::ranges::find(*list, wanted.name, [](domains::Seen const& one) { return one.domain.name; });
  if (wanted.name.empty() || found == list->end()) {
    co_return base::fail(store::errc::not_found, "there is no domain '" + text + "'");
  }
  co_return *found;
}

Answer list_domains(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const page = read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  auto const list = co_await domains_of(own, caller.tenant.id);
  if (!list) {
    co_return refusal(list.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (domains::Seen const& one : *list) {
    if (outside_scope(caller, {"read", {}, one.domain.name})) {
      continue;
    }
    items.emplace_back(without_dot(one.domain.name), json_of(own, caller.tenant, one));
  }
  co_return tagged(200, page_of("domains", std::move(items), *page), caller.tenant.changed_at);
}

Answer claim(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  Body reader(request.body);
  std::string const given = reader.text("name");
  domains::DomainVerdict const verdict = domains::read_domain(given);
  if (!given.empty() && !verdict.problem.empty()) {
    reader.fail("name", "'" + given.substr(0, 300) + "' cannot be claimed: " + verdict.problem, verdict.hint);
  }
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  if (auto const outside = outside_scope(caller, {"domains", {}, verdict.name})) {
    co_return *outside;
  }
  auto const when = circumstances(own, request);
  if (!when) {
    co_return refusal(when.error());
  }
  auto const domain = std::make_shared<store::Domain>();
  domain->name = verdict.name;
  auto const wait_ms = std::make_shared<std::int64_t>(0);
  store::Body body = [domain, label = caller.tenant.label, policy = own.policy, when = *when,
                      wait_ms](store::Write const& write) {
    return domains::claim(write, policy, label, *domain, when, *wait_ms);
  };
  auto const done = co_await own.api.store.write(std::move(body));
  if (!done) {
    co_return done.error().code == store::errc::too_many
        ? refusal(done.error(), *wait_ms)
        : refusal(done.error(), About{"name", "a domain that you own outside of the platform"});
  }
  auto const after = co_await tenant_by_label(own, caller.tenant.label);
  co_return after ? tagged(201, json_of(own, *after, {*domain, {}}), after->changed_at) : refusal(after.error());
}

Answer get_domain(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const found = co_await find(own, request, caller.tenant);
  if (!found) {
    co_return refusal(found.error());
  }
  if (auto const outside = outside_scope(caller, {"read", {}, found->domain.name})) {
    co_return *outside;
  }
  co_return tagged(200, json_of(own, caller.tenant, *found), caller.tenant.changed_at);
}

Answer remove_domain(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const found = co_await find(own, request, caller.tenant);
  if (!found) {
    co_return refusal(found.error());
  }
  if (auto const outside = outside_scope(caller, {"domains", {}, found->domain.name})) {
    co_return *outside;
  }
  auto const when = circumstances(own, request);
  if (!when) {
    co_return refusal(when.error());
  }
  store::Body body = [name = found->domain.name, label = caller.tenant.label, when = *when](store::Write const& write) {
    return domains::remove(write, label, name, when);
  };
  auto const done = co_await own.api.store.write(std::move(body));
  co_return done ? reply_nothing() : refusal(done.error());
}

Answer verify_domain(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const found = co_await find(own, request, caller.tenant);
  if (!found) {
    co_return refusal(found.error());
  }
  if (auto const outside = outside_scope(caller, {"domains", {}, found->domain.name})) {
    co_return *outside;
  }
  if (!own.verify) {
    co_return net::HttpResponse::problem(503, "domains are not verified here", "the settings name no resolver");
  }
  auto const verdict = co_await own.verify(found->domain.id);
  if (!verdict) {
    constexpr std::int64_t wait_ms = 15000;  // as long as a look of the tenant's may take
    co_return refusal(verdict.error(), verdict.error().code == store::errc::too_many ? wait_ms : 0);
  }
  auto const after = co_await find(own, request, caller.tenant);
  if (!after) {
    co_return refusal(after.error());
  }
  json::object body = json_of(own, caller.tenant, *after);
  body["code"] = verdict->code;
  body["hint"] = verdict->hint;
  co_return reply(200, body);
}

}  // namespace

void add_domain_routes(net::Router& router, TenantDependencies const& own) {
  std::string const all = "/v1/tenants/{label}/domains";
  router.add("GET", all, of_tenant(own, "read", Where::primary, list_domains));
  router.add("POST", all, of_tenant(own, "domains", Where::primary, claim));
  router.add("GET", all + "/{name}", of_tenant(own, "read", Where::primary, get_domain));
  router.add("DELETE", all + "/{name}", of_tenant(own, "domains", Where::primary, remove_domain));
  router.add("POST", all + "/{name}/verify", of_tenant(own, "domains", Where::primary, verify_domain));
}

}  // namespace api
