#include "base/process/service.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

#include <charconv>
#include <optional>

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

json::object json_of(monitor::CheckRecord const& check) {
  return {{"at_ms", check.at_ms},
          {"success", check.success},
          {"reason", check.reason},
          {"warning", check.warning},
          {"elapsed_us", check.elapsed.count()}};
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
    json::array checks;
    for (monitor::CheckRecord const& check : status.checks) {
      checks.push_back(json_of(check));
    }
    one["checks"] = std::move(checks);
  }
  return one;
}

// With ?endpoint=NAME that one alone, and its last checks.
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
  json::object body;
  body["endpoints"] = std::move(list);
  co_return reply(200, body);
}

// A whole number of the query; absent: `otherwise`; nothing: it is none.
std::optional<std::int64_t> number(net::HttpRequest const& request, std::string const& key, std::int64_t otherwise) {
  auto const found = request.query.find(key);
  if (found == request.query.end()) {
    return otherwise;
  }
  std::int64_t value = 0;
  char const* const end = found->second.data() + found->second.size();
  auto const [stopped, error] = std::from_chars(found->second.data(), end, value);
  return error != std::errc() || stopped != end || value < 0 ? std::nullopt : std::optional<std::int64_t>(value);
}

Answer list_transitions(Dependencies const& api, net::HttpRequest request) {
  auto const limit = number(request, "limit", 100);
  auto const before_id = number(request, "before_id", 0);
  auto const since_ms = number(request, "since_ms", 0);
  if (!limit || !before_id || !since_ms || *limit == 0) {
    co_return net::HttpResponse::problem(400, "not a page", "limit, before_id and since_ms are whole numbers");
  }
  if (api.transitions == nullptr) {
    co_return net::HttpResponse::problem(404, "no transitions", "this process keeps none");
  }
  transitions::Query query;
  auto const endpoint = request.query.find("endpoint");
  query.endpoint = endpoint == request.query.end() ? std::string() : endpoint->second;
  query.limit = *limit;
  query.before_id = *before_id;
  query.since_ms = *since_ms;
  auto const found = co_await api.transitions->recent(query);
  if (!found) {
    co_return refusal(found.error());
  }
  json::array list;
  for (transitions::Transition const& one : *found) {
    list.push_back(json::object{{"id", one.id},
                                {"at_ms", one.at_ms},
                                {"endpoint", one.endpoint},
                                {"from", probe::name(one.from)},
                                {"to", probe::name(one.to)},
                                {"reason", one.reason},
                                {"decided_by", one.decided_by}});
  }
  json::object body;
  body["transitions"] = std::move(list);
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
  router.add("GET", "/v1/transitions", administrators(dependencies, list_transitions));
}

}  // namespace api
