#include "acme/administration/key_routes.hpp"

#include "base/http/problem.hpp"
#include "base/process/log.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace acme {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

constexpr std::int64_t accounts = 0;                           // the owner of what belongs to no tenant
constexpr net::RouteLimits slow{0, std::chrono::minutes(10)};  // a hundred thousand tenants' keys

net::HttpResponse refusal(base::Failure const& failure) {
  bool const keys = failure.code == keyring::errc::key_file || failure.code == keyring::errc::sealed;
  return keys ? net::problem_of(409, "the keys do not allow it", "what", failure.what(), "docs/certificates.md, keys")
              : net::HttpResponse::problem(503, "it cannot be done now", failure.what());
}

std::string text(json::object const& body, char const* key) {
  json::value const* const found = body.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// Whose data key it is, for people.
net::Task<std::string> owner_name(KeyRoutes const& of, std::int64_t owner) {
  if (owner == accounts) {
    co_return "the accounts at CAs";
  }
  auto const tenants = co_await of.store.tenants();
  if (tenants) {
    for (store::Tenant const& tenant : *tenants) {
      if (tenant.id == owner) {
        co_return tenant.label;
      }
    }
  }
  co_return "tenant " + std::to_string(owner);
}

Answer show(KeyRoutes const& of) {
  auto const state = co_await of.vault.key_state();
  if (!state) {
    co_return refusal(state.error());
  }
  json::object body{{"master", state->master_id},
                    {"data_keys", state->data_keys},
                    {"oldest_ms", state->oldest_ms},
                    {"rotates_itself", state->rotates_itself},
                    {"damaged", state->damaged}};
  if (state->first_damaged) {
    body["first_damaged"] = co_await owner_name(of, *state->first_damaged);
  }
  co_return net::HttpResponse::json(200, json::serialize(body));
}

// A damaged key of one owner keeps nobody else's from being renewed.
Answer renew(KeyRoutes const& of, std::vector<std::int64_t> owners) {
  std::int64_t sealed = 0;
  json::array failed;
  std::string first;
  for (std::int64_t const owner : owners) {
    auto const count = co_await of.vault.renew_data_key(owner);
    if (count) {
      sealed += *count;
      continue;
    }
    if (count.error().code != keyring::errc::sealed) {
      co_return refusal(count.error());
    }
    failed.emplace_back(owner);
    first = first.empty() ? count.error().what() : first;
  }
  process::log::info("vault", "renewed data keys owners={} failed={} sealed_anew={}", owners.size(), failed.size(),
                     sealed);
  if (!failed.empty()) {
    co_return net::problem_of(
        409, "damaged keys", "what",
        std::to_string(owners.size() - failed.size()) + " of " + std::to_string(owners.size()) +
            " data keys were renewed; not those of the owners " + json::serialize(failed) + ": " + first,
        "the others are done; these tenants' certificates are ordered anew or come from a backup");
  }
  co_return net::HttpResponse::json(200, json::serialize(json::object{{"owners", owners.size()}, {"sealed", sealed}}));
}

Answer rotate_master(KeyRoutes const& of) {
  if (auto const rotated = co_await of.vault.rotate_master_key(); !rotated) {
    co_return refusal(rotated.error());
  }
  auto const state = co_await of.vault.key_state();
  process::log::info("vault", "the master key was changed id={}", state ? state->master_id : "");
  co_return co_await show(of);
}

Answer rotate(KeyRoutes const& of, net::HttpRequest request) {
  boost::system::error_code error;
  json::value const parsed = json::parse(request.body.empty() ? "{}" : request.body, error);
  json::object const body = !error && parsed.is_object() ? parsed.get_object() : json::object();
  std::string const what = text(body, "what");
  if (what == "master") {
    co_return co_await rotate_master(of);
  }
  if (what == "accounts") {
    std::vector<std::int64_t> const own{accounts};
    co_return co_await renew(of, own);
  }
  if (what != "tenant" && what != "tenants") {
    co_return net::problem_of(422, "wrong body", "what", "must be master, tenant, tenants or accounts",
                              "{\"what\": \"master\"}");
  }
  auto const tenants = co_await of.store.tenants();
  if (!tenants) {
    co_return refusal(tenants.error());
  }
  std::string const label = text(body, "tenant");
  std::vector<std::int64_t> owners;
  for (store::Tenant const& tenant : *tenants) {
    if (what == "tenants" || tenant.label == label) {
      owners.push_back(tenant.id);
    }
  }
  if (what == "tenant" && owners.empty()) {
    co_return net::HttpResponse::problem(404, "no such tenant", "no tenant is named '" + label + "'");
  }
  co_return co_await renew(of, std::move(owners));
}

net::HttpResponse denied() {
  return net::HttpResponse::problem(403, "not allowed", "administrators only");
}

Answer guarded_show(KeyRoutes routes, net::HttpRequest request) {
  if (!routes.is_admin(request)) {
    co_return denied();
  }
  co_return co_await show(routes);
}

Answer guarded_rotate(KeyRoutes routes, net::HttpRequest request) {
  if (!routes.is_admin(request)) {
    co_return denied();
  }
  co_return co_await rotate(routes, std::move(request));
}

}  // namespace

void add_key_routes(net::Router& router, KeyRoutes const& routes) {
  router.add("GET", "/v1/acme/keys",
             [routes](net::HttpRequest request) { return guarded_show(routes, std::move(request)); });
  router.add(
      "POST", "/v1/acme/keys/rotate",
      [routes](net::HttpRequest request) { return guarded_rotate(routes, std::move(request)); }, slow);
}

}  // namespace acme
