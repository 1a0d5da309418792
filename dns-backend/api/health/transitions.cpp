// Changes of health: what GET /v1/transitions does.
#include "dns-backend/api/health/health.hpp"

#include "base/http/problem.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

#include <charconv>
#include <optional>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

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
    char const* const field = !limit || *limit == 0 ? "limit" : !before_id ? "before_id" : "since_ms";
    co_return net::problem_of(400, "not a page", field, std::string(field) + " is no whole number that it can be",
                              "limit from 1 up, before_id and since_ms from 0 up");
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

}  // namespace

void add_transition_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("GET", "/v1/transitions", administrators(dependencies, list_transitions));
}

void add_health_routes(net::Router& router, Dependencies const& dependencies) {
  add_override_routes(router, dependencies);
  add_report_routes(router, dependencies);
  add_transition_routes(router, dependencies);
}

}  // namespace api
