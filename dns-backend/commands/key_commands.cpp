#include "dns-backend/commands/key_commands.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/table.hpp"
#include "dns-backend/commands/zone_commands.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {
namespace {

namespace json = boost::json;

std::string const keys_path = "/api/v1/servers/localhost/tsigkeys";

int print_secret(net::HttpResponse const& answer) {
  json::value const body = json_of(answer);
  auto const* const secret = body.is_object() ? body.get_object().if_contains("key") : nullptr;
  if (secret == nullptr || !secret->is_string()) {
    return say("the answer cannot be read", 1);
  }
  std::printf("%s\n", secret->get_string().c_str());
  return 0;
}

}  // namespace

int tsig_list(Place const& place, Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::open_store, "GET", keys_path, {}, answer); failed != 0) {
    return failed;
  }
  json::value const body = json_of(answer);
  if (output.json || !body.is_array()) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  std::fputs(table(body.get_array(), {{"name", "KEY"}, {"algorithm", "ALGORITHM"}}).c_str(), stdout);
  return 0;
}

int tsig_create(Place const& place, TsigRequest const& key) {
  json::object body{{"name", key.name}, {"algorithm", key.algorithm}};
  if (!key.secret.empty()) {
    body["key"] = key.secret;
  }
  net::HttpResponse answer;
  int const failed = call_once(place, Without::open_store, "POST", keys_path, json::serialize(body), answer);
  return failed == 0 ? print_secret(answer) : failed;
}

int tsig_show(Place const& place, std::string const& name) {
  net::HttpResponse answer;
  std::string const path = keys_path + "/" + net::percent_encode(name);
  int const failed = call_once(place, Without::open_store, "GET", path, {}, answer);
  return failed == 0 ? print_secret(answer) : failed;
}

int tsig_delete(Place const& place, std::string const& name) {
  net::HttpResponse answer;
  return call_once(place, Without::open_store, "DELETE", keys_path + "/" + net::percent_encode(name), {}, answer);
}

int metadata_get(Place const& place, std::string const& zone, std::string const& kind) {
  auto const path = zone_path(zone);
  if (!path) {
    return 2;
  }
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::open_store, "GET", *path, {}, answer); failed != 0) {
    return failed;
  }
  json::value const body = json_of(answer);
  auto const* const metadata = body.is_object() ? body.get_object().if_contains("metadata") : nullptr;
  if (metadata == nullptr || !metadata->is_object()) {
    return say("the answer cannot be read", 1);
  }
  for (auto const& [name, values] : metadata->get_object()) {
    for (json::value const& value : values.is_array() ? values.get_array() : json::array()) {
      if ((kind.empty() || kind == std::string_view(name)) && value.is_string()) {
        std::printf("%s %s\n", std::string(name).c_str(), value.get_string().c_str());
      }
    }
  }
  return 0;
}

int metadata_set(Place const& place, std::string const& zone, std::string const& kind,
                 std::vector<std::string> const& values) {
  auto const path = zone_path(zone);
  std::string const body = json::serialize(json::object{{"values", json::value_from(values)}});
  std::string const kind_path = "/metadata/" + net::percent_encode(kind);
  net::HttpResponse answer;
  return path ? call_once(place, Without::open_store, "PUT", *path + kind_path, body, answer) : 2;
}

}  // namespace commands
