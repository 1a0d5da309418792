// What belongs to no zone: the server itself, search, cache, statistics, autoprimaries.
#include "dns-backend/powerdns/objects.hpp"

#include "base/process/service.hpp"
#include "dns-backend/powerdns/search.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace powerdns {
namespace {

namespace json = boost::json;

// The version whose API this is: clients choose their requests by it.
constexpr char const* api_version = "4.7.3";
constexpr std::size_t results_max = 10000;

json::object server_json() {
  return {{"autoprimaries_url", "/api/v1/servers/localhost/autoprimaries{/autoprimary}"},
          {"config_url", "/api/v1/servers/localhost/config{/config_setting}"},
          {"daemon_type", "authoritative"},
          {"id", "localhost"},
          {"type", "Server"},
          {"url", "/api/v1/servers/localhost"},
          {"version", api_version},
          {"navigator_version", process::version()},
          {"zones_url", "/api/v1/servers/localhost/zones{/zone}"}};
}

Reply discover(Dependencies const&, net::HttpRequest) {
  co_return json_reply(200, json::array{json::object{{"url", "/api/v1"}, {"version", 1}}});
}

Reply discover_v1(Dependencies const&, net::HttpRequest) {
  json::object body{{"api_features", json::array()}, {"server_url", "/api/v1/servers{/server}"}};
  co_return json_reply(200, json::array{std::move(body)});
}

Reply list_servers(Dependencies const&, net::HttpRequest) {
  co_return json_reply(200, json::array{server_json()});
}

Reply get_server(Dependencies const&, net::HttpRequest) {
  co_return json_reply(200, server_json());
}

// pdns.conf is not ours.
Reply get_config(Dependencies const&, net::HttpRequest) {
  co_return json_reply(200, json::array());
}

Reply get_statistics(Dependencies const& dependencies, net::HttpRequest request) {
  std::map<std::string, std::int64_t> const known = {
      {"uptime", now_of(dependencies) - dependencies.started_s},
      {"zone-cache-size", static_cast<std::int64_t>(dependencies.api.store.published().copy()->zones.size())}};
  auto const wanted = request.query.find("statistic");
  json::array list;
  for (auto const& [name, value] : known) {
    if (wanted == request.query.end() || wanted->second == name) {
      list.push_back(json::object{{"name", name}, {"type", "StatisticItem"}, {"value", std::to_string(value)}});
    }
  }
  if (list.empty()) {
    co_return refuse(Refusal{422, "Unknown statistic name"});
  }
  co_return json_reply(200, list);
}

Reply flush_cache(Dependencies const& dependencies, net::HttpRequest request) {
  auto const text = request.query.find("domain");
  auto const name = canonical_name(text == request.query.end() ? std::string() : text->second);
  if (!name) {
    co_return refuse(name.error());
  }
  std::size_t const told = dependencies.flush ? dependencies.flush(*name) : 0;
  co_return json_reply(200, json::object{{"count", told}, {"result", "Flushed cache."}});
}

Reply search_data(Dependencies const& dependencies, net::HttpRequest request) {
  auto const word = [&request](char const* key) {
    auto const found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
  };
  Search search;
  search.pattern = word("q");
  if (search.pattern.empty()) {
    co_return refuse(Refusal{422, "Query q can't be blank"});
  }
  if (std::string const max = word("max"); !max.empty()) {
    auto const [end, error] = std::from_chars(max.data(), max.data() + max.size(), search.results_max);
    if (error != std::errc() || end != max.data() + max.size() || search.results_max == 0) {
      co_return refuse(Refusal{422, "Maximum entries must be larger than 0"});
    }
    search.results_max = std::min(search.results_max, results_max);
  }
  std::string const type = word("object_type");
  if (!type.empty() && type != "all" && type != "zone" && type != "record" && type != "comment") {
    co_return refuse(Refusal{422, "object_type must be one of the following options: all, zone, record, comment"});
  }
  search.zones = type.empty() || type == "all" || type == "zone";
  search.records = type.empty() || type == "all" || type == "record";
  // A million names take a second: on the store's thread that delays a write, here it would delay every check.
  std::function<base::Result<json::array>(database::Database&)> const work =
      [search, snapshot = dependencies.api.store.published().copy()](database::Database&) -> base::Result<json::array> {
    return find(*snapshot, search);
  };
  auto const found = co_await dependencies.api.store.thread().run<json::array>(work);
  co_return found ? json_reply(200, *found) : refuse(found.error());
}

Reply list_autoprimaries(Dependencies const& dependencies, net::HttpRequest) {
  json::array list;
  auto const snapshot = dependencies.api.store.published().copy();
  for (auto const& one : snapshot->autoprimaries) {
    list.push_back(json::object{{"account", one.account}, {"ip", one.ip}, {"nameserver", one.nameserver}});
  }
  co_return json_reply(200, list);
}

Reply post_autoprimary(Dependencies const& dependencies, net::HttpRequest request) {
  auto const body = body_of(request);
  if (!body) {
    co_return refuse(body.error());
  }
  auto const ip = required_text(*body, "ip");
  auto const server = required_text(*body, "nameserver");
  if (!ip || !server) {
    co_return refuse(ip ? server.error() : ip.error());
  }
  auto const* const account = body->if_contains("account");
  store::Autoprimary autoprimary{*ip, *server, {}};
  if (account != nullptr && account->is_string()) {
    autoprimary.account = std::string(account->get_string());
  }
  auto const done = co_await dependencies.api.store.set_autoprimary(std::move(autoprimary));
  co_return done ? net::HttpResponse::text(201, "") : refuse(done.error());
}

Reply delete_autoprimary(Dependencies const& dependencies, net::HttpRequest request) {
  auto const done = co_await dependencies.api.store.remove_autoprimary(request.parameters.at("ip"),
                                                                       request.parameters.at("nameserver"));
  co_return done ? nothing() : refuse(done.error());
}

}  // namespace

void add_server_routes(net::Router& router, Dependencies const& dependencies) {
  std::string const server = "/api/v1/servers/localhost";
  router.add("GET", "/api", reads(dependencies, discover));
  router.add("GET", "/api/v1", reads(dependencies, discover_v1));
  router.add("GET", "/api/v1/servers", reads(dependencies, list_servers));
  router.add("GET", server, reads(dependencies, get_server));
  router.add("GET", server + "/config", reads(dependencies, get_config));
  router.add("GET", server + "/statistics", reads(dependencies, get_statistics));
  router.add("GET", server + "/search-data", reads(dependencies, search_data));
  router.add("PUT", server + "/cache/flush", reads(dependencies, flush_cache));
  router.add("GET", server + "/autoprimaries", reads(dependencies, list_autoprimaries));
  router.add("POST", server + "/autoprimaries", writes(dependencies, post_autoprimary));
  router.add("DELETE", server + "/autoprimaries/{ip}/{nameserver}", writes(dependencies, delete_autoprimary));
}

}  // namespace powerdns
