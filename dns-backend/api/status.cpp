#include "base/process/service.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

std::vector<monitor::EndpointStatus> statuses(Dependencies const& api) {
  return api.endpoints ? api.endpoints() : std::vector<monitor::EndpointStatus>();
}

json::object endpoint_json(store::PoolRow::EndpointRow const& endpoint,
                           std::map<std::string, probe::Health> const& health) {
  json::object one;
  one["name"] = endpoint.name;
  one["address4"] = endpoint.address4;
  one["address6"] = endpoint.address6;
  one["probe_address"] = endpoint.probe_address;
  one["enabled"] = endpoint.enabled;
  one["weight"] = endpoint.weight;
  auto const found = health.find(endpoint.name);
  one["health"] = probe::name(found == health.end() ? probe::Health::unknown : found->second);
  return one;
}

json::object monitor_json(store::PoolRow const& pool) {
  json::object one;
  one["type"] = pool.type;
  one["port"] = pool.port;
  if (pool.type != "tcp") {
    one["method"] = pool.method;
    one["path"] = pool.path;
    one["host"] = pool.host;
    one["expected_codes"] = pool.expected_codes;
    one["expected_body"] = pool.expected_body;
  }
  one["interval_ms"] = pool.interval_ms;
  one["timeout_ms"] = pool.timeout_ms;
  one["consecutive_up"] = pool.consecutive_up;
  one["consecutive_down"] = pool.consecutive_down;
  return one;
}

Answer get_status(Dependencies const& api, net::HttpRequest) {
  json::object body;
  body["version"] = process::version();
  body["role"] = api.primary == nullptr ? "primary" : "replica";
  body["node"] = api.node;
  body["revision"] = api.store.revision();
  body["published_us"] = api.store.publication_us();
  body["zones"] = api.store.published().copy()->zones.size();
  if (api.primary != nullptr) {
    body["primary"] = api.primary_url;
  }
  for (auto const& [name, section] : api.sections) {
    body[name] = section();
  }
  co_return reply(200, body);
}

Answer list_pools(Dependencies const& api, net::HttpRequest) {
  base::Result<std::vector<store::PoolRow>> const pools = co_await api.store.pools();
  if (!pools) {
    co_return refusal(pools.error());
  }
  std::map<std::string, probe::Health> health;
  for (monitor::EndpointStatus const& status : statuses(api)) {
    health[status.endpoint] = status.effective;
  }
  json::array list;
  for (store::PoolRow const& pool : *pools) {
    json::object one;
    one["name"] = pool.name;
    one["site"] = pool.site;
    one["minimum_origins"] = pool.minimum_origins;
    one["monitor"] = monitor_json(pool);
    json::array endpoints;
    for (auto const& endpoint : pool.endpoints) {
      endpoints.push_back(endpoint_json(endpoint, health));
    }
    one["endpoints"] = std::move(endpoints);
    list.push_back(std::move(one));
  }
  json::object body;
  body["pools"] = std::move(list);
  co_return reply(200, body);
}

Answer list_health(Dependencies const& api, net::HttpRequest) {
  json::array list;
  for (monitor::EndpointStatus const& status : statuses(api)) {
    json::object one;
    one["endpoint"] = status.endpoint;
    one["health"] = probe::name(status.effective);
    one["reason"] = status.reason;
    one["elapsed_us"] = status.elapsed.count();
    one["checked_at_ms"] = status.checked_at_ms;
    one["changed_at_ms"] = status.changed_at_ms;
    one["checks_to_change"] = status.checks_to_change;
    list.push_back(std::move(one));
  }
  json::object body;
  body["endpoints"] = std::move(list);
  co_return reply(200, body);
}

Answer healthz(Dependencies const* api) {
  std::string const trouble = api->trouble ? api->trouble() : std::string();
  co_return trouble.empty() ? net::HttpResponse::text(200, "ok\n") : net::HttpResponse::text(503, trouble + "\n");
}

Answer metrics(Dependencies const* api) {
  net::HttpResponse response = net::HttpResponse::text(200, api->metrics.text());
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  co_return response;
}

}  // namespace

void add_status_routes(net::Router& router, Dependencies const& dependencies) {
  // These two tell nothing that is secret, and what asks them (a load balancer, Prometheus) has no certificate.
  router.add("GET", "/healthz", [api = &dependencies](net::HttpRequest) { return healthz(api); });
  router.add("GET", "/metrics", [api = &dependencies](net::HttpRequest) { return metrics(api); });
  router.add("GET", "/v1/status", administrators(dependencies, get_status));
  router.add("GET", "/v1/pools", administrators(dependencies, list_pools));
  router.add("GET", "/v1/health", administrators(dependencies, list_health));
}

}  // namespace api
