#include "dns-backend/commands/steering/steering_commands.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/steering/sending.hpp"
#include "dns-backend/commands/steering/yaml.hpp"
#include "dns-backend/steering/reading/read.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace {

namespace json = boost::json;
using steering::Kind;

std::string path_to(Kind kind, std::string const& name) {
  return std::string("/v1/") + steering::plural(kind) + "/" + net::percent_encode(name);
}

std::vector<std::pair<std::string, std::string>> columns_of(Kind kind) {
  switch (kind) {
    case Kind::monitor:
      return {{"name", "MONITOR"}, {"type", "TYPE"}, {"port", "PORT"}, {"interval_ms", "INTERVAL (MS)"}};
    case Kind::pool:
      return {{"name", "POOL"}, {"managed_by", "MANAGED BY"}, {"site", "SITE"}, {"minimum_origins", "MINIMUM"}};
    case Kind::load_balancer:
      break;
  }
  return {{"name", "LOAD BALANCER"},
          {"steering_policy", "POLICY"},
          {"default_pools", "POOLS"},
          {"fallback_pool", "FALLBACK"},
          {"ttl", "TTL"},
          {"enabled", "ENABLED"}};
}

}  // namespace

int object_list(Place const& place, Kind kind, Output output) {
  return print_list(place, output, Without::open_store, std::string("/v1/") + steering::plural(kind),
                    steering::plural(kind), columns_of(kind));
}

int object_show(Place const& place, Kind kind, std::string const& name, Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::open_store, "GET", path_to(kind, name), {}, answer); failed != 0) {
    return failed;
  }
  std::fputs(output.json ? answer.body.c_str() : yaml(json_of(answer)).c_str(), stdout);
  return 0;
}

int object_put(Place const& place, Kind kind, std::string const& file) {
  auto const document = config::Document::load(file);
  if (!document) {
    return say_problems(document.error());
  }
  auto const object = steering::read_object(*document, kind);
  if (!object) {
    return say_problems(object.error());
  }
  std::string const& name = steering::name_of(*object);
  net::HttpResponse answer;
  int const failed =
      send_file(place, path_to(kind, name), json::serialize(steering::to_json(*object)), *document, answer);
  if (failed == 0) {
    std::printf("%s %s %s\n", answer.status == 201 ? "+" : "=", steering::word(kind), name.c_str());
  }
  return failed;
}

int object_delete(Place const& place, Kind kind, std::string const& name) {
  net::HttpResponse answer;
  return call_once(place, Without::open_store, "DELETE", path_to(kind, name), {}, answer);
}

}  // namespace commands
