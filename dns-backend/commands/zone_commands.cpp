#include "dns-backend/commands/zone_commands.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/dns/name.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace json = boost::json;

std::optional<std::string> zone_path(std::string const& zone) {
  auto const apex = dns::Name::parse(zone);
  if (!apex) {
    say(apex.error().what(), 2);
    return std::nullopt;
  }
  return "/v1/zones/" + net::percent_encode(apex->text());
}

namespace {

// What of the settings was mentioned.
json::object settings_json(ZoneRequest const& zone) {
  json::object body;
  if (zone.kind) {
    body["kind"] = *zone.kind;
  }
  if (zone.masters) {
    body["masters"] = json::value_from(*zone.masters);
  }
  if (zone.account) {
    body["account"] = *zone.account;
  }
  return body;
}

}  // namespace

int zone_create(Place const& place, ZoneRequest const& zone) {
  json::object body = settings_json(zone);
  body["name"] = zone.name;
  body["nameservers"] = json::value_from(zone.nameservers);
  if (!zone.hostmaster.empty()) {
    body["hostmaster"] = zone.hostmaster;
  }
  net::HttpResponse answer;
  return call_once(place, Without::open_store, "POST", "/v1/zones", json::serialize(body), answer);
}

int zone_set(Place const& place, ZoneRequest const& zone) {
  auto const path = zone_path(zone.name);
  net::HttpResponse answer;
  return path ? call_once(place, Without::open_store, "PUT", *path + "/settings", json::serialize(settings_json(zone)),
                          answer)
              : 2;
}

int zone_export(Place const& place, std::string const& zone) {
  auto const path = zone_path(zone);
  if (!path) {
    return 2;
  }
  net::HttpResponse answer;
  int const failed = call_once(place, Without::open_store, "GET", *path + "/export", {}, answer);
  if (failed == 0) {
    std::fputs(answer.body.c_str(), stdout);
  }
  return failed;
}

int zone_delete(Place const& place, std::string const& zone) {
  auto const path = zone_path(zone);
  net::HttpResponse answer;
  return path ? call_once(place, Without::open_store, "DELETE", *path, {}, answer) : 2;
}

int zone_list(Place const& place, Output output) {
  return print_list(
      place, output, Without::open_store, "/v1/zones", "zones",
      {{"name", "ZONE"}, {"kind", "KIND"}, {"serial", "SERIAL"}, {"names", "NAMES"}, {"secured", "DNSSEC"}});
}

}  // namespace commands
