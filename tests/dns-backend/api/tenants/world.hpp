// A Navigator's whole API over a store in memory, with a gate around it, two tenants and their tokens.
#pragma once

#include "dns-backend/api/acme_dns/acme_dns.hpp"
#include "dns-backend/api/audit_log/audit_log.hpp"
#include "dns-backend/api/gate/gate.hpp"
#include "dns-backend/api/health/health.hpp"
#include "dns-backend/api/sign_up/sign_up.hpp"
#include "dns-backend/api/steering/steering.hpp"
#include "dns-backend/api/tenant_pools/tenant_pools.hpp"
#include "dns-backend/api/tenants/tenants.hpp"
#include "dns-backend/zone_file/zone_file.hpp"
#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <memory>
#include <string>

namespace api {

namespace json = boost::json;

class World {
 public:
  explicit World(tenants::Policy policy = {{}, 24LL * 3600 * 1000, "acme.example.org."},
                 SignUpSettings newcomers = by_invitation(), tokens::RateSettings changes = {1000, 100000},
                 tokens::RateSettings moves = {1000, 1000})
      : store(store::Store::open("sqlite://:memory:", {invitations::schema()}, health, loop.get_executor()).value()),
        dependencies{*store, metrics, {"admin.internal"}},
        tokens(*store),
        tenants{dependencies, tokens, std::move(policy), {}, {}, [this] { return now_ms; }},
        gate(dependencies, tokens, metrics, {{1000, 1000}, {0.2, 20}, [this] { return now_ms; }, changes}),
        sign_up(tenants, std::move(newcomers)) {
    dependencies.admin_token = [this](std::string const& id) {
      auto const* const token = tokens.by_id(id);
      return token != nullptr && token->scope.admin && token->tenant_id == 0;
    };
    tenants.moves = moves;
    gate.stand_around(router);
    add_routes(router, dependencies);
    add_steering_routes(router, dependencies);
    add_health_routes(router, dependencies);
    add_tenant_routes(router, tenants);
    add_audit_routes(router, tenants);
    add_acme_dns_routes(router, tenants);
    add_tenant_pool_routes(router, tenants);
    sign_up.add_routes(router);
    for (char const* const zone : {"example.org", "acme.example.org"}) {
      EXPECT_EQ(send("PUT", "/v1/zones/" + std::string(zone) + "/import",
                     "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n")
                    .status,
                200);
    }
    store::PoolRow ams;
    ams.name = "ams";
    ams.site = "amsterdam";
    ams.endpoints = {{"ams-1", "198.51.100.1", "2001:db8::1", "10.0.0.1", true, 1}};
    store::PoolRow fra = ams;
    fra.name = "fra";
    fra.endpoints[0].name = "fra-1";
    fra.endpoints[0].address4 = "198.51.100.2";
    test::run_task(loop, store->set_pools({ams, fra})).value();
  }

  static SignUpSettings by_invitation() {
    SignUpSettings settings;
    settings.terms = {invitations::Terms::Door::invited, "example.org.", "gold", {"ams", "fra"}, 0};
    settings.rate = {1000, 1000};
    return settings;
  }

  net::HttpResponse send(net::HttpRequest request) { return test::run_task(loop, router.dispatch(std::move(request))); }
  // As an administrator on the unix socket.
  net::HttpResponse send(std::string const& method, std::string const& target, std::string const& body = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.peer.is_unix = true;
    return send(std::move(request));
  }
  // With a token, over TCP.
  net::HttpResponse as(std::string const& token, std::string const& method, std::string const& target,
                       std::string const& body = {}, net::Headers headers = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    request.headers.set("Authorization", "Bearer " + token);
    request.peer.address = "203.0.113.9:4000";
    return send(std::move(request));
  }
  void add_tenant(std::string const& label) {
    auto const made = send("POST", "/v1/tenants",
                           R"({"label":")" + label + R"(","zone":"example.org","plan":"gold","primary":"ams"})");
    EXPECT_EQ(made.status, 201) << made.body;
  }
  // The secret and the id of a new token.
  std::pair<std::string, std::string> token_of(std::string const& label, std::string const& body = "{}") {
    auto const made = send("POST", "/v1/tenants/" + label + "/tokens", body);
    EXPECT_EQ(made.status, 201) << made.body;
    json::value const value = json::parse(made.body);
    return {std::string(value.at("token").as_string()), std::string(value.at("id").as_string())};
  }

  boost::asio::io_context loop{1};
  pool::HealthTable health;
  process::Metrics metrics;
  std::int64_t now_ms = 1700000000000;
  std::unique_ptr<store::Store> store;
  Dependencies dependencies;
  tokens::Tokens tokens;
  TenantDependencies tenants;
  Gate gate;
  SignUp sign_up;
  net::Router router;
};

}  // namespace api
