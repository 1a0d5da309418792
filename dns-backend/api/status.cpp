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

Answer list_routes(net::Router const& router) {
  json::array list;
  for (net::RouteName const& route : router.routes()) {
    list.push_back(json::object{{"method", route.method}, {"path", route.pattern}});
  }
  co_return reply(200, json::object{{"routes", std::move(list)}});
}

json::object json_of(Dependencies const& api, monitor::EndpointStatus const& status, bool with_checks) {
  json::object one;
  one["endpoint"] = status.endpoint;
  one["health"] = probe::name(status.effective);
  one["observed"] = probe::name(status.observed);
  if (status.override != monitor::Forced::none) {
    one["override"] = json::object{{"to", monitor::name(status.override)},
                                   {"until_ms", status.override_until_ms},
                                   {"reason", status.override_reason}};
  }
  one["reason"] = status.reason;
  one["warning"] = status.warning;
  one["elapsed_us"] = status.elapsed.count();
  one["checked_at_ms"] = status.checked_at_ms;
  one["changed_at_ms"] = status.changed_at_ms;
  one["checks_to_change"] = status.checks_to_change;
  if (json::value votes = api.votes ? api.votes(status.endpoint) : json::value(); !votes.is_null()) {
    one["sites"] = std::move(votes);
  }
  if (with_checks) {
    one["checks"] = api::json_of(status.checks);
  }
  return one;
}

// With ?endpoint=NAME that one alone, and its last checks here and at the other sites.
Answer list_health(Dependencies const& api, net::HttpRequest request) {
  auto const wanted = request.query.find("endpoint");
  json::array list;
  for (monitor::EndpointStatus const& status : statuses(api)) {
    if (wanted == request.query.end() || wanted->second == status.endpoint) {
      list.push_back(json_of(api, status, wanted != request.query.end()));
    }
  }
  if (wanted != request.query.end() && list.empty()) {
    co_return refusal(base::fail(store::errc::not_found, "there is no endpoint '" + wanted->second + "'"));
  }
  if (wanted != request.query.end() && api.elsewhere) {
    list.front().get_object()["elsewhere"] = co_await api.elsewhere(wanted->second);
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
  net::HttpResponse response =
      net::HttpResponse::text(200, api->metrics.text() + (api->more_metrics ? api->more_metrics() : ""));
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  co_return response;
}

}  // namespace

json::array json_of(std::vector<monitor::CheckRecord> const& checks) {
  json::array out;
  for (monitor::CheckRecord const& check : checks) {
    out.push_back(json::object{{"at_ms", check.at_ms},
                               {"success", check.success},
                               {"reason", check.reason},
                               {"warning", check.warning},
                               {"elapsed_us", check.elapsed.count()}});
  }
  return out;
}

void add_status_routes(net::Router& router, Dependencies const& dependencies) {
  // What this process serves, as the router has it: a test holds docs/openapi.yaml against it.
  router.add("GET", "/v1/routes", administrators(dependencies, [&router](Dependencies const&, net::HttpRequest) {
               return list_routes(router);
             }));
  // These two tell nothing that is secret, and what asks them (a load balancer, Prometheus) has no certificate.
  router.add("GET", "/healthz", [api = &dependencies](net::HttpRequest) { return healthz(api); });
  router.add("GET", "/metrics", [api = &dependencies](net::HttpRequest) { return metrics(api); });
  router.add("GET", "/v1/status", administrators(dependencies, get_status));
  router.add("GET", "/v1/health", administrators(dependencies, list_health));
}

}  // namespace api
