#include "dns-backend/commands/health/health_commands.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/table.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <ctime>

#include <poll.h>
#include <unistd.h>

namespace commands {
namespace {

namespace json = boost::json;

std::int64_t number(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

std::string text(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

json::array list_of(json::value const& body, char const* key) {
  json::value const* const list = body.is_object() ? body.get_object().if_contains(key) : nullptr;
  return list != nullptr && list->is_array() ? list->get_array() : json::array();
}

// "up", "draining by order (new disk) until 2026-11-23T18:05:17Z, observed up", "down, ordered draining"
std::string state_of(json::object const& endpoint) {
  std::string state = text(endpoint, "health");
  if (json::value const* const order = endpoint.if_contains("override"); order != nullptr && order->is_object()) {
    std::string const reason = text(order->get_object(), "reason");
    std::int64_t const until_ms = number(order->get_object(), "until_ms");
    std::string const to = text(order->get_object(), "to");
    state += to == state ? " by order" : ", ordered " + to;
    state += (reason.empty() ? "" : " (" + reason + ")") + (until_ms == 0 ? "" : " until " + utc(until_ms));
  }
  if (std::string const observed = text(endpoint, "observed"); observed != text(endpoint, "health")) {
    state += ", observed " + observed;
  }
  return state;
}

std::string votes_of(json::object const& endpoint) {
  json::value const* const sites = endpoint.if_contains("sites");
  if (sites == nullptr || !sites->is_object()) {
    return "-";
  }
  auto const count = [&](char const* key) { return std::to_string(list_of(*sites, key).size()); };
  json::value const* const kept = sites->get_object().if_contains("kept");
  return count("up") + " up, " + count("down") + " down" +
         (kept != nullptr && kept->is_bool() && kept->get_bool() ? ", kept" : "");
}

// Where this site finds nothing wrong, the others may: "ok; nyc: connection refused"
std::string last_of(json::object const& endpoint) {
  std::string const warning = text(endpoint, "warning");
  std::string out = text(endpoint, "reason") + (warning.empty() ? "" : "; warning: " + warning);
  json::value const* const sites = endpoint.if_contains("sites");
  if (text(endpoint, "observed") == "down" || sites == nullptr) {
    return out;
  }
  for (json::value const& one : list_of(*sites, "words")) {
    json::object const* const word = one.if_object();
    if (word != nullptr && text(*word, "says") == "down") {
      out += (out.empty() ? "" : "; ") + text(*word, "site") + ": " + text(*word, "reason");
    }
  }
  return out;
}

void print_endpoints(json::array endpoints) {
  for (json::value& one : endpoints) {
    json::object& endpoint = one.as_object();
    endpoint["state"] = state_of(endpoint);
    endpoint["votes"] = votes_of(endpoint);
    endpoint["since"] = utc(number(endpoint, "changed_at_ms"));
    endpoint["last"] = last_of(endpoint);
    endpoint["ms"] = std::to_string(number(endpoint, "elapsed_us") / 1000);
  }
  std::printf("%s", table(endpoints, {{"endpoint", "ENDPOINT"},
                                      {"state", "HEALTH"},
                                      {"since", "SINCE"},
                                      {"votes", "SITES"},
                                      {"ms", "MS"},
                                      {"last", "LAST CHECK"}})
                        .c_str());
}

// A line for each site: what it says, and why if that is not good.
void print_words(json::object const& sites) {
  for (json::value const& one : list_of(sites, "words")) {
    if (json::object const* const word = one.if_object(); word != nullptr) {
      std::string const reason = text(*word, "reason");
      std::printf("  %s says %s%s\n", text(*word, "site").c_str(), text(*word, "says").c_str(),
                  reason.empty() ? "" : (": " + reason + " (" + utc(number(*word, "at_ms")) + ")").c_str());
    }
  }
  json::value const* const kept = sites.if_contains("kept");
  if (kept != nullptr && kept->is_bool() && kept->get_bool()) {
    std::printf("  the sites decide nothing: it stays as it was\n");
  }
}

void print_checks(json::array checks) {
  for (json::value& one : checks) {
    json::object& check = one.as_object();
    check["at"] = utc(number(check, "at_ms"));
    check["ms"] = std::to_string(number(check, "elapsed_us") / 1000);
    json::value const* const success = check.if_contains("success");
    check["result"] = success != nullptr && success->is_bool() && success->get_bool() ? "good" : "bad";
  }
  std::printf(
      "%s", table(checks,
                  {{"at", "CHECKED"}, {"result", "RESULT"}, {"ms", "MS"}, {"reason", "REASON"}, {"warning", "WARNING"}})
                .c_str());
}

void print_why(json::object const& endpoint) {
  std::printf("%s: %s since %s\n", text(endpoint, "endpoint").c_str(), state_of(endpoint).c_str(),
              utc(number(endpoint, "changed_at_ms")).c_str());
  if (json::value const* const sites = endpoint.if_contains("sites"); sites != nullptr && sites->is_object()) {
    print_words(sites->get_object());
  }
  print_checks(list_of(endpoint, "checks"));
  for (json::value const& one : list_of(endpoint, "elsewhere")) {
    json::object const* const site = one.if_object();
    if (site == nullptr) {
      continue;
    }
    std::string const error = text(*site, "error");
    std::printf("\n%s%s\n", text(*site, "site").c_str(), error.empty() ? ":" : (" cannot be asked: " + error).c_str());
    if (error.empty()) {
      print_checks(list_of(*site, "checks"));
    }
  }
}

int show_once(Place const& place, HealthRequest const& request, Output output) {
  std::string const query = request.endpoint.empty() ? "" : "?endpoint=" + net::percent_encode(request.endpoint);
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, "GET", "/v1/health" + query, {}, answer); failed != 0) {
    return failed;
  }
  if (output.json) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  json::array const endpoints = list_of(json_of(answer), "endpoints");
  if (request.endpoint.empty()) {
    print_endpoints(endpoints);
  } else if (!endpoints.empty() && endpoints[0].is_object()) {
    print_why(endpoints[0].get_object());
  }
  return 0;
}

}  // namespace

std::string utc(std::int64_t unix_ms) {
  if (unix_ms == 0) {
    return "-";
  }
  std::time_t const seconds = unix_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char buffer[32];
  std::size_t const size = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {buffer, size};
}

int show_health(Place const& place, HealthRequest const& request, Output output) {
  constexpr int pause_ms = 1000;
  bool const terminal = ::isatty(STDOUT_FILENO) == 1;
  for (;;) {
    if (request.watch && terminal && !output.json) {
      std::printf("\x1b[H\x1b[2J");
    }
    int const failed = show_once(place, request, output);
    std::fflush(stdout);
    if (failed != 0 || !request.watch) {
      return failed;
    }
    ::poll(nullptr, 0, pause_ms);
  }
}

int show_transitions(Place const& place, TransitionsRequest const& request, Output output) {
  std::string target = "/v1/transitions?limit=" + std::to_string(request.limit);
  if (!request.endpoint.empty()) {
    target += "&endpoint=" + net::percent_encode(request.endpoint);
  }
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, "GET", target, {}, answer); failed != 0) {
    return failed;
  }
  if (output.json) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  json::array rows = list_of(json_of(answer), "transitions");
  for (json::value& one : rows) {
    one.as_object()["at"] = utc(number(one.as_object(), "at_ms"));
  }
  std::printf("%s", table(rows, {{"at", "AT"},
                                 {"endpoint", "ENDPOINT"},
                                 {"from", "FROM"},
                                 {"to", "TO"},
                                 {"decided_by", "DECIDED BY"},
                                 {"reason", "REASON"}})
                        .c_str());
  return 0;
}

int order_endpoint(Place const& place, OrderRequest const& request) {
  net::HttpResponse answer;
  if (request.to.empty()) {
    return call_once(place, Without::refuse, "DELETE",
                     "/v1/overrides?endpoint=" + net::percent_encode(request.endpoint), {}, answer);
  }
  json::object body{{"endpoint", request.endpoint}, {"to", request.to}, {"reason", request.reason}};
  if (request.for_s != 0) {
    body["for_s"] = request.for_s;
  }
  return call_once(place, Without::refuse, "PUT", "/v1/overrides", json::serialize(body), answer);
}

int list_orders(Place const& place, Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, "GET", "/v1/overrides", {}, answer); failed != 0) {
    return failed;
  }
  if (output.json) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  json::array rows = list_of(json_of(answer), "overrides");
  for (json::value& one : rows) {
    one.as_object()["until"] = utc(number(one.as_object(), "until_ms"));
  }
  std::printf("%s",
              table(rows, {{"endpoint", "ENDPOINT"}, {"to", "TO"}, {"until", "UNTIL"}, {"reason", "REASON"}}).c_str());
  return 0;
}

int show_pools(Place const& place, Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, "GET", "/v1/pools", {}, answer); failed != 0) {
    return failed;
  }
  json::value body = json_of(answer);
  json::value* const pools = body.is_object() ? body.get_object().if_contains("pools") : nullptr;
  if (output.json || pools == nullptr || !pools->is_array()) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  // "edge-ams-1=up" for each endpoint.
  for (json::value& pool : pools->get_array()) {
    json::array named;
    for (json::value const& endpoint : pool.at("endpoints").as_array()) {
      named.emplace_back(std::string(endpoint.at("name").as_string()) + "=" +
                         std::string(endpoint.at("health").as_string()));
    }
    pool.as_object()["endpoints"] = std::move(named);
  }
  std::printf("%s", table(pools->get_array(), {{"name", "POOL"},
                                               {"site", "SITE"},
                                               {"managed_by", "MANAGED BY"},
                                               {"minimum_origins", "MINIMUM"},
                                               {"endpoints", "ENDPOINTS"}})
                        .c_str());
  return 0;
}

}  // namespace commands
