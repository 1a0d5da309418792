#include "dns-backend/commands/zone_commands.hpp"

#include "base/process/service.hpp"
#include "dns-backend/commands/connection.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <cstdio>
#include <optional>

namespace commands {
namespace {

constexpr std::size_t zone_file_max = 256U << 20U;

std::optional<std::string> zone_path(std::string const& zone) {
  auto const apex = dns::Name::parse(zone);
  if (!apex) {
    say(apex.error().what(), 2);
    return std::nullopt;
  }
  return "/v1/zones/" + net::percent_encode(apex->text());
}

}  // namespace

int zone_import(Place const& place, std::string const& zone, std::string const& file) {
  auto const apex = dns::Name::parse(zone);
  if (!apex) {
    return say(apex.error().what(), 2);
  }
  auto const text = process::read_file(file, zone_file_max);
  if (!text) {
    return say(text.error().what(), 1);
  }
  // Read here first, so that problems name the file and nothing is sent that cannot be imported.
  auto const parsed = dns::parse_zone_file(*text, file, *apex);
  if (!parsed) {
    std::fputs(base::text(parsed.error()).c_str(), stderr);
    return 2;
  }
  net::HttpResponse answer;
  return call_once(place, Without::open_store, "PUT", *zone_path(zone) + "/import", *text, answer);
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
