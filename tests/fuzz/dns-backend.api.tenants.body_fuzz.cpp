// Bodies of requests about tenants, each sent to every route that takes one: answered, never a failure of ours, and
// what is refused as wrong input says at which field.
#include "dns-backend/api/tenants/tenants.hpp"

#include "tests/support/run_task.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

struct World {
  World() {
    api::add_tenant_routes(router, tenants);
    auto const rrsets = [](char const* apex) {
      dns::Name const name = dns::Name::parse(apex).value();
      return std::vector<dns::OwnedRRset>{{name, {dns::type_soa, 60, {"ns. host. 1 2 3 4 5"}}},
                                          {name, {dns::type_ns, 60, {"ns."}}}};
    };
    for (char const* const apex : {"example.org", "acme.example.org"}) {
      test::run_task(loop, store->import_zone(dns::Name::parse(apex).value(), rrsets(apex))).value();
    }
    store::PoolRow pool;
    pool.name = "ams";
    test::run_task(loop, store->set_pools({pool})).value();
    send("POST", "/v1/tenants", R"({"label":"acme-tv","zone":"example.org","plan":"a","primary":"ams"})");
  }
  net::HttpResponse send(std::string const& method, std::string const& target, std::string const& body) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.peer.is_unix = true;
    return test::run_task(loop, router.dispatch(std::move(request)));
  }

  boost::asio::io_context loop{1};
  pool::HealthTable health;
  process::Metrics metrics;
  std::unique_ptr<store::Store> store =
      store::Store::open("sqlite://:memory:", {}, health, loop.get_executor()).value();
  api::Dependencies dependencies{*store, metrics};
  tokens::Tokens tokens{*store};
  api::TenantDependencies tenants{dependencies, tokens, {{}, 1000, "acme.example.org."}, {}, {}, [] { return 1LL; }};
  net::Router router;
};

void judge(net::HttpResponse const& response) {
  if (response.status >= 500) {
    std::abort();
  }
  if (response.status == 422) {
    boost::system::error_code bad;
    boost::json::value const body = boost::json::parse(response.body, bad);
    if (bad || !body.is_object() || !body.get_object().contains("detail")) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static World world;
  std::string const body(reinterpret_cast<char const*>(data), size);
  std::initializer_list<std::pair<char const*, char const*>> const routes{{"POST", "/v1/tenants"},
                                                                          {"PATCH", "/v1/tenants/acme-tv"},
                                                                          {"PUT", "/v1/tenants/acme-tv/records/m/MX"},
                                                                          {"POST", "/v1/tenants/acme-tv/domains"},
                                                                          {"POST", "/v1/tenants/acme-tv/tokens"},
                                                                          {"POST", "/v1/tokens"}};
  for (auto const& [method, target] : routes) {
    judge(world.send(method, target, body));
  }
  return 0;
}
