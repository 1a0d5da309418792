// Certificates that tenants bring. Bodies hold private keys: nothing of them is logged or repeated.
#include "dns-backend/api/tenants/routes.hpp"

#include "base/http/problem.hpp"
#include "dns-backend/domains/domains.hpp"

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

constexpr int retry_after_s = 15;  // a lease of the issuer's

net::HttpResponse not_here() {
  return net::HttpResponse::problem(503, "certificates are not handled here", "the settings have no acme");
}

// The name of the path without final dot; empty when it is none.
std::string name_of(net::HttpRequest const& request) {
  std::string name = domains::read_domain(request.parameters.at("name")).name;
  if (!name.empty()) {
    name.pop_back();
  }
  return name;
}

net::HttpResponse no_such(net::HttpRequest const& request) {
  return refusal(
      base::fail(store::errc::not_found, "there is no verified name '" + request.parameters.at("name") + "'"));
}

// What only time mends is told from what is wrong.
net::HttpResponse not_now(base::Failure const& failure) {
  namespace code = boost::system::errc;
  if (failure.code == code::device_or_resource_busy) {
    return net::problem_of(409, "under way", "name", failure.detail, "again in a minute");
  }
  if (failure.code == code::resource_unavailable_try_again) {
    net::HttpResponse response = net::HttpResponse::problem(503, "another Navigator issues", failure.detail);
    response.headers.set("Retry-After", std::to_string(retry_after_s));
    return response;
  }
  return refusal(failure);
}

bool read_fallback(Body& reader, std::string const& text) {
  constexpr char const* key = "fallback_to_acme";
  reader.note(key);
  boost::system::error_code error;
  json::value const body = json::parse(text, error);
  json::value const* const given = !error && body.is_object() ? body.get_object().if_contains(key) : nullptr;
  if (given != nullptr && !given->is_bool()) {
    reader.fail(key, "must be true or false", "true: a certificate of our own is ordered before this one ends");
  }
  return given == nullptr || !given->is_bool() || given->get_bool();
}

Answer put_certificate(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  std::string name = name_of(request);
  if (auto const outside = outside_scope(caller, {"certificates", {}, name})) {
    co_return *outside;
  }
  Body reader(request.body);
  BroughtCertificate brought;
  brought.chain_pem = reader.text("chain_pem");
  brought.key_pem = reader.text("key_pem");
  brought.fallback = read_fallback(reader, request.body);
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  if (!own.take_certificate) {
    co_return not_here();
  }
  if (name.empty()) {
    co_return no_such(request);
  }
  auto const taken = co_await own.take_certificate(caller.tenant.id, std::move(name), std::move(brought));
  if (!taken) {
    co_return not_now(taken.error());
  }
  co_return taken->problems.empty() ? reply(200, taken->certificate) : refusal(taken->problems);
}

Answer delete_certificate(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  std::string name = name_of(request);
  if (auto const outside = outside_scope(caller, {"certificates", {}, name})) {
    co_return *outside;
  }
  if (!own.drop_certificate) {
    co_return not_here();
  }
  if (name.empty()) {
    co_return no_such(request);
  }
  auto const dropped = co_await own.drop_certificate(caller.tenant.id, std::move(name));
  co_return dropped ? reply_nothing() : not_now(dropped.error());
}

}  // namespace

void add_certificate_routes(net::Router& router, TenantDependencies const& own, std::shared_ptr<tokens::Rate> moves) {
  std::string const one = "/v1/tenants/{label}/certificates/{name}";
  router.add("PUT", one, of_tenant(own, "certificates", Where::primary, sparing(moves, put_certificate)));
  router.add("DELETE", one, of_tenant(own, "certificates", Where::primary, sparing(moves, delete_certificate)));
}

}  // namespace api
