// Orders about endpoints: what PUT, DELETE and GET /v1/overrides do.
#include "dns-backend/api/health/health.hpp"

#include "base/http/problem.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

net::HttpResponse refusal_of(base::Failure const& failure) {
  if (failure.code == overrides::errc::not_found) {
    return net::HttpResponse::problem(404, "no such order", failure.detail);
  }
  return failure.code == overrides::errc::refused
             ? net::problem_of(422, "no order", "body", failure.detail, "endpoint, to, for_s and reason")
             : refusal(failure);
}

json::object json_of(std::string const& endpoint, monitor::Override const& order) {
  return {
      {"endpoint", endpoint}, {"to", monitor::name(order.to)}, {"until_ms", order.until_ms}, {"reason", order.reason}};
}

std::string text(json::object const& body, char const* key) {
  json::value const* const found = body.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// `for_s` seconds from now, or until it is taken back; nullopt: it is no such number.
std::optional<std::int64_t> until(json::object const& body, std::int64_t now_ms) {
  json::value const* const found = body.if_contains("for_s");
  if (found == nullptr) {
    return 0;
  }
  constexpr std::int64_t year_s = 366 * 86400;
  if (!found->is_int64() || found->get_int64() < 1 || found->get_int64() > year_s) {
    return std::nullopt;
  }
  return now_ms + found->get_int64() * 1000;
}

Answer list_overrides(Dependencies const& api, net::HttpRequest) {
  json::array list;
  if (api.overrides != nullptr) {
    auto const orders = co_await api.overrides->orders(wall_ms());
    if (!orders) {
      co_return refusal_of(orders.error());
    }
    for (auto const& [endpoint, order] : *orders) {
      list.push_back(json_of(endpoint, order));
    }
  }
  json::object body;
  body["overrides"] = std::move(list);
  co_return reply(200, body);
}

Answer put_override(Dependencies const& api, net::HttpRequest request) {
  boost::system::error_code error;
  json::value const document = json::parse(request.body, error);
  if (error || !document.is_object() || api.overrides == nullptr) {
    co_return net::problem_of(400, "no order", "body", "is no JSON object", "one with endpoint, to, for_s and reason");
  }
  json::object const& body = document.get_object();
  std::string const endpoint = text(body, "endpoint");
  std::int64_t const now_ms = wall_ms();
  auto const forced = overrides::parse_forced(text(body, "to"));
  auto const until_ms = until(body, now_ms);
  base::Problems problems;
  base::Place const place{"request body", 0, 0};
  auto const known = api.endpoints ? api.endpoints() : std::vector<monitor::EndpointStatus>();
  if (std::none_of(known.begin(), known.end(), [&](auto const& status) { return status.endpoint == endpoint; })) {
    problems.push_back(
        {place, "endpoint", "there is no endpoint '" + endpoint + "' that is watched", "see navigator health"});
  }
  if (!forced) {
    problems.push_back({place, "to", "'" + text(body, "to") + "' is not up, down or draining", ""});
  }
  if (!until_ms) {
    problems.push_back({place, "for_s", "is not a number of seconds from 1 to a year", ""});
  }
  if (!problems.empty()) {
    co_return refusal(problems);
  }
  monitor::Override const order{*forced, *until_ms, text(body, "reason")};
  auto const done = co_await api.overrides->set(endpoint, order, now_ms);
  if (!done) {
    co_return refusal_of(done.error());
  }
  co_return reply(200, json_of(endpoint, order));
}

Answer delete_override(Dependencies const& api, net::HttpRequest request) {
  auto const endpoint = request.query.find("endpoint");
  if (endpoint == request.query.end() || api.overrides == nullptr) {
    co_return net::problem_of(400, "no endpoint", "endpoint", "?endpoint=NAME is needed",
                              "see navigator override list");
  }
  auto const done = co_await api.overrides->clear(endpoint->second, wall_ms());
  if (!done) {
    co_return refusal_of(done.error());
  }
  co_return reply_nothing();
}

}  // namespace

void add_override_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("GET", "/v1/overrides", administrators(dependencies, list_overrides));
  router.add("PUT", "/v1/overrides", writes(dependencies, put_override));
  router.add("DELETE", "/v1/overrides", writes(dependencies, delete_override));
}

}  // namespace api
