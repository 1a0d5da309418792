// The protocol of acme-dns, so that certbot, lego and Caddy on a tenant's other hosts can set challenge values: POST
// /register with a tenant's token, POST /update with what that gave out. And the registrations as their tenant sees
// them.
//
// Errors have the form its clients know: {"error": "bad_txt"}.
#include "dns-backend/api/acme_dns/acme_dns.hpp"

#include "dns-backend/api/access.hpp"
#include "dns-backend/api/acme_dns/acme_accounts.hpp"
#include "dns-backend/api/tenants/routes.hpp"
#include "dns-backend/tokens/rate.hpp"

#include <chrono>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

net::HttpResponse error(int status, char const* what) {
  return reply(status, json::object{{"error", what}});
}

// As acme-dns writes names.
std::string without_dot(std::string name) {
  if (name.ends_with('.')) {
    name.pop_back();
  }
  return name;
}

// A text of a body that may be missing or no JSON; empty then.
std::string text_of(json::value const& body, char const* key) {
  auto const* const found = body.is_object() ? body.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

bool read_allow_from(json::value const& body, std::vector<std::string>& out) {
  constexpr std::size_t most = 64;
  auto const* const found = body.is_object() ? body.get_object().if_contains("allowfrom") : nullptr;
  if (found == nullptr || found->is_null()) {
    return true;
  }
  if (!found->is_array() || found->get_array().size() > most) {
    return false;
  }
  for (auto const& one : found->get_array()) {
    if (!one.is_string() || !is_network(std::string(one.get_string()))) {
      return false;
    }
    out.emplace_back(one.get_string());
  }
  return true;
}

net::HttpResponse wait_then(int status, int wait_s, char const* code) {
  net::HttpResponse response = error(wait_s == 0 ? status : 429, code);
  if (wait_s != 0) {
    response.headers.set("Retry-After", std::to_string(wait_s));
  }
  return response;
}

Answer enroll(TenantDependencies const& own, net::HttpRequest request) {
  tokens::Token const* const token = own.tokens.by_id(request.peer.token);
  // Which name it will be is not known before: a token with names has to have all of the zone's.
  std::string const any = "*." + own.policy.challenge_zone;
  if (token == nullptr || token->tenant_id == 0 || !tokens::forbidden(token->scope, {"acme", {}, any}).empty()) {
    co_return error(401, "a tenant's token with the action 'acme' is needed: Bearer, or https://any:TOKEN@HOST");
  }
  if (own.policy.challenge_zone.empty()) {
    co_return error(503, "the settings name no challenge zone");
  }
  boost::system::error_code bad;
  json::value const body = request.body.empty() ? json::value(json::object()) : json::parse(request.body, bad);
  AcmeAccount account;
  if (bad || !read_allow_from(body, account.allow_from)) {
    co_return error(400, bad ? "malformed_json_payload" : "invalid_allowfrom_cidr");
  }
  account.tenant_id = token->tenant_id;
  account.created_at_ms = now_ms(own);
  auto const wait_ms = std::make_shared<std::int64_t>(0);
  auto const made = co_await make_acme_account(own.api.store, account, own.policy, wait_ms);
  if (!made && made.error().code == store::errc::too_many) {
    co_return wait_then(429, static_cast<int>((*wait_ms + 999) / 1000), "too_many_requests");
  }
  if (!made) {
    co_return refusal(made.error());
  }
  json::object answer{{"username", made->account.username},
                      {"password", made->password},
                      {"fulldomain", without_dot(made->account.slug + "." + own.policy.challenge_zone)},
                      {"subdomain", made->account.slug},
                      {"allowfrom", json::value_from(made->account.allow_from)}};
  net::HttpResponse response = reply(201, answer);
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

// 43 characters of base64url: a digest of SHA-256 (RFC 8555 8.4).
bool is_txt(std::string const& value) {
  return value.size() == 43 &&
         value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
             std::string::npos;
}

struct Rates {
  tokens::Rate failures{{0.2, 20}};  // of one address
  tokens::Rate values{{0.2, 50}};    // of one tenant: each is a commit at every site and a row of the log
};

Answer update(TenantDependencies const& own, std::shared_ptr<Rates> rates, net::HttpRequest request) {
  if (own.api.primary != nullptr) {
    co_return co_await forward(own.api, std::move(request));
  }
  std::string const user(request.headers.get("X-Api-User"));
  std::string const key(request.headers.get("X-Api-Key"));
  auto const account = co_await find_acme_account(own.api.store, user, key);
  if (!account) {
    co_return refusal(account.error());
  }
  if (!account->has_value() || !allows_from((*account)->allow_from, request.peer.address)) {
    std::string const from = request.peer.address.substr(0, request.peer.address.rfind(':'));
    co_return wait_then(401, rates->failures.take(from, std::chrono::steady_clock::now()), "forbidden");
  }
  boost::system::error_code bad;
  json::value const body = json::parse(request.body, bad);
  if (bad || text_of(body, "subdomain") != (*account)->slug) {
    co_return error(bad ? 400 : 401, bad ? "malformed_json_payload" : "forbidden");
  }
  std::string const value = text_of(body, "txt");
  if (!is_txt(value)) {
    co_return error(400, "bad_txt");
  }
  std::string const tenant = std::to_string((*account)->tenant_id);
  if (int const wait = rates->values.take(tenant, std::chrono::steady_clock::now()); wait != 0) {
    co_return wait_then(429, wait, "too_many_requests");
  }
  auto const done = co_await set_acme_value(own.api.store, **account, value, own.policy.challenge_zone, now_ms(own));
  if (!done && done.error().code == store::errc::not_found) {
    co_return error(401, "forbidden");
  }
  co_return done ? reply(200, json::object{{"txt", value}}) : refusal(done.error());
}

json::object json_of(TenantDependencies const& own, AcmeRegistration const& one) {
  AcmeAccount const& account = one.account;
  return {{"subdomain", account.slug},
          {"fulldomain", without_dot(account.slug + "." + own.policy.challenge_zone)},
          {"username", account.username},
          {"allowfrom", json::value_from(account.allow_from)},
          {"created_at_ms", account.created_at_ms},
          {"values", one.values},
          {"set_at_ms", one.set_at_ms}};
}

Answer list_registrations(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const page = net::read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  auto const found = co_await acme_registrations(own.api.store, caller.tenant.id);
  if (!found) {
    co_return refusal(found.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (AcmeRegistration const& one : *found) {
    if (outside_scope(caller, {"read", {}, one.account.slug + "." + own.policy.challenge_zone})) {
      continue;
    }
    items.emplace_back(one.account.slug, json_of(own, one));
  }
  co_return tagged(200, net::page_of("registrations", std::move(items), *page), caller.tenant.changed_at);
}

Answer delete_registration(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const when = circumstances(own, request);
  if (!when) {
    co_return refusal(when.error());
  }
  std::string slug = request.parameters.at("subdomain");
  if (auto const outside = outside_scope(caller, {"acme", {}, slug + "." + own.policy.challenge_zone})) {
    co_return *outside;
  }
  auto const done = co_await remove_acme_account(own.api.store, caller.tenant.label, std::move(slug), *when);
  co_return done ? reply_nothing() : refusal(done.error());
}

}  // namespace

void add_acme_dns_routes(net::Router& router, TenantDependencies const& own) {
  router.add("POST", register_path, [&own](net::HttpRequest request) { return enroll(own, std::move(request)); });
  std::string const all = "/v1/tenants/{label}/registrations";
  router.add("GET", all, of_tenant(own, "read", Where::primary, list_registrations));
  router.add("DELETE", all + "/{subdomain}", of_tenant(own, "acme", Where::primary, delete_registration));
  auto const rates = std::make_shared<Rates>();
  router.add("POST", "/update",
             [&own, rates](net::HttpRequest request) { return update(own, rates, std::move(request)); });
}

}  // namespace api
