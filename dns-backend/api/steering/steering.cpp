#include "dns-backend/api/steering/steering.hpp"

#include "dns-backend/api/routes.hpp"
#include "dns-backend/api/steering/pools.hpp"
#include "dns-backend/steering/reading/read.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace api {

namespace {

namespace json = boost::json;
using steering::Kind;
using Answer = net::Task<net::HttpResponse>;

// A set of twenty thousand objects and its checks.
constexpr About about_object{"name", "another name, or first take it out of what uses it"};
constexpr net::RouteLimits set_limits{16U << 20U, std::chrono::minutes(1)};

base::Failure no_such(Kind kind, std::string const& name) {
  return base::fail(store::errc::not_found, std::string("there is no ") + steering::word(kind) + " '" + name + "'");
}

// Problems of the object that was sent are shown by its own fields.
base::Problems within(base::Problems problems, Kind kind, std::string const& name) {
  std::string const head = steering::path_of(kind, name) + ".";
  for (base::Problem& problem : problems) {
    if (problem.path.starts_with(head)) {
      problem.path.erase(0, head.size());
    }
    problem.place.source = "request body";
  }
  return problems;
}

Answer list_objects(Dependencies const& api, Kind kind) {
  base::Result<steering::Objects> const objects = co_await api.store.steering();
  if (!objects) {
    co_return refusal(objects.error());
  }
  json::object body;
  body[steering::plural(kind)] = steering::to_json(steering::of_operator(*objects)).at(steering::plural(kind));
  co_return reply(200, body);
}

// Tenants' pools are among them, so it may be long.
Answer list_pools(Dependencies const& api, net::HttpRequest request) {
  auto const page = net::read_page(request, lists_default);
  if (!page) {
    co_return refusal(page.error());
  }
  base::Result<std::vector<store::PoolRow>> const pools = co_await api.store.pools();
  base::Result<steering::Objects> const objects = co_await api.store.steering();
  if (!pools || !objects) {
    co_return refusal(pools ? objects.error() : pools.error());
  }
  Health const health = health_of(api);
  std::map<std::string, std::function<json::object()>> all;  // the topology's first
  for (store::PoolRow const& pool : *pools) {
    all[pool.name] = [&pool, &health] { return listed(pool, health); };
  }
  for (auto const& [name, pool] : objects->pools) {
    all["~" + name] = [found = &pool, &health] { return listed(*found, health); };
  }
  std::vector<std::string> keys;
  std::ranges::transform(all, std::back_inserter(keys), [](auto const& item) { return item.first; });
  co_return reply(200, net::page_of(
                           "pools", keys, [&](std::size_t at) { return json::value(all.at(keys[at])()); }, *page));
}

Answer get_object(Dependencies const& api, Kind kind, net::HttpRequest request) {
  std::string const name = steering::canonical_name(kind, request.parameters.at("name"));
  base::Result<steering::Objects> const objects = co_await api.store.steering();
  if (!objects) {
    co_return refusal(objects.error());
  }
  if (auto const object = steering::find(*objects, kind, name)) {
    co_return reply(200, steering::to_json(*object));
  }
  if (kind == Kind::pool) {
    base::Result<std::vector<store::PoolRow>> const pools = co_await api.store.pools();
    if (!pools) {
      co_return refusal(pools.error());
    }
    auto const found = std::find_if(pools->begin(), pools->end(), [&](auto const& one) { return one.name == name; });
    if (found != pools->end()) {
      co_return reply(200, listed(*found, health_of(api)));
    }
  }
  co_return refusal(no_such(kind, name));
}

Answer put_object(Dependencies const& api, Kind kind, net::HttpRequest request) {
  std::string const name = steering::canonical_name(kind, request.parameters.at("name"));
  auto const object = steering::read_json_object(request.body, kind, name);
  if (!object) {
    co_return refusal(object.error());
  }
  base::Result<store::SteeringOutcome> const done = co_await api.store.put_steering(*object);
  if (!done) {
    co_return refusal(done.error(), about_object);
  }
  if (!done->problems.empty()) {
    co_return refusal(within(done->problems, kind, name));
  }
  co_return reply(done->difference.added.empty() ? 200 : 201, steering::to_json(*object));
}

Answer delete_object(Dependencies const& api, Kind kind, net::HttpRequest request) {
  std::string name = steering::canonical_name(kind, request.parameters.at("name"));
  base::Result<store::Revision> const done = co_await api.store.delete_steering(kind, std::move(name));
  co_return done ? reply_nothing() : refusal(done.error(), about_object);
}

Answer get_set(Dependencies const& api, net::HttpRequest) {
  base::Result<steering::Objects> const objects = co_await api.store.steering();
  co_return objects ? reply(200, steering::to_json(steering::of_operator(*objects))) : refusal(objects.error());
}

Answer put_set(Dependencies const& api, net::HttpRequest request) {
  auto const asked = request.query.find("dry_run");
  bool const dry_run = asked != request.query.end() && asked->second != "false" && asked->second != "0";
  auto objects = steering::read_json_objects(request.body);
  if (!objects) {
    co_return refusal(objects.error());
  }
  base::Result<store::SteeringOutcome> const done = co_await api.store.apply_steering(std::move(*objects), dry_run);
  if (!done) {
    co_return refusal(done.error(), About{"pools", "fewer, or other names"});
  }
  if (!done->problems.empty()) {
    base::Problems problems = done->problems;
    for (base::Problem& problem : problems) {
      problem.place.source = "request body";
    }
    co_return refusal(problems);
  }
  json::object body;
  body["revision"] = done->revision;
  body["added"] = json::value_from(done->difference.added);
  body["changed"] = json::value_from(done->difference.changed);
  body["removed"] = json::value_from(done->difference.removed);
  co_return reply(200, body);
}

using OneKind = Answer (*)(Dependencies const&, Kind, net::HttpRequest);

Route of_kind(Kind kind, OneKind answer) {
  return [kind, answer](Dependencies const& api, net::HttpRequest request) {
    return answer(api, kind, std::move(request));
  };
}

}  // namespace

void add_steering_routes(net::Router& router, Dependencies const& dependencies) {
  for (Kind const kind : steering::kinds) {
    std::string const all = std::string("/v1/") + steering::plural(kind);
    std::string const one = all + "/{name}";
    Route const list =
        kind == Kind::pool
            ? Route(list_pools)
            : Route([kind](Dependencies const& api, net::HttpRequest) { return list_objects(api, kind); });
    router.add("GET", all, administrators(dependencies, list));
    router.add("GET", one, administrators(dependencies, of_kind(kind, get_object)));
    router.add("PUT", one, writes(dependencies, of_kind(kind, put_object)));
    router.add("DELETE", one, writes(dependencies, of_kind(kind, delete_object)));
  }
  router.add("GET", "/v1/steering", administrators(dependencies, get_set));
  router.add("PUT", "/v1/steering", writes(dependencies, put_set), set_limits);
}

}  // namespace api
