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
  router.add("GET", "/v1/health", administrators(dependencies, list_health));
}

}  // namespace api
