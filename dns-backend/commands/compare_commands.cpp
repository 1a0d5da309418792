#include "dns-backend/commands/compare_commands.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/import_commands.hpp"
#include "dns-backend/commands/progress.hpp"
#include "dns-backend/commands/zone_commands.hpp"
#include "dns-backend/migrate/check.hpp"
#include "dns-backend/migrate/diff.hpp"
#include "dns-backend/migrate/source.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {
namespace {

namespace json = boost::json;

base::Result<migrate::StoredZone> stored_zone(Connection& connection, std::string const& name) {
  migrate::StoredZone zone;
  auto const apex = dns::Name::parse(name);
  if (!apex) {
    return apex.error();
  }
  zone.apex = *apex;
  std::string const path = "/v1/zones/" + net::percent_encode(apex->text());
  auto const about = connection.call("GET", path);
  auto const content = connection.call("GET", path + "/export", {}, "export of " + name);
  if (!about || !content) {
    return about ? content.error() : about.error();
  }
  if (about->status != 200 || content->status != 200) {
    return base::fail(migrate::errc::refused, refusal_text(about->status != 200 ? *about : *content));
  }
  json::value const body = json_of(*about);
  auto const* const metadata = body.is_object() ? body.get_object().if_contains("metadata") : nullptr;
  zone.serial_edited = metadata != nullptr && metadata->is_object() && metadata->get_object().contains("SOA-EDIT");
  dns::FileOptions options;
  options.whole_zone = false;  // a secondary may be empty
  auto rrsets = dns::parse_zone_file(content->body, "the export of " + name, *apex, options);
  if (!rrsets) {
    return base::fail(migrate::errc::bad_answer, base::text(rrsets.error()));
  }
  zone.rrsets = std::move(*rrsets);
  // "; www.example.org. is answered by a load balancer"
  std::string_view const words = " is answered by a load balancer";
  for (std::size_t at = content->body.find("\n; "); at != std::string::npos; at = content->body.find("\n; ", at + 1)) {
    std::string_view const rest = std::string_view(content->body).substr(at + 3);
    std::string_view const line = rest.substr(0, rest.find('\n'));
    auto const owner = dns::Name::parse(line.substr(0, line.find(' ')));
    if (owner && line.ends_with(words)) {
      zone.balanced.insert(*owner);
    }
  }
  return zone;
}

base::Result<std::vector<std::string>> zone_names(Connection& connection) {
  auto const answer = connection.call("GET", "/v1/zones");
  if (!answer) {
    return answer.error();
  }
  json::value const body = json_of(*answer);
  auto const* const list = body.is_object() ? body.get_object().if_contains("zones") : nullptr;
  if (answer->status != 200 || list == nullptr || !list->is_array()) {
    return base::fail(migrate::errc::bad_answer, "the list of zones cannot be read");
  }
  std::vector<std::string> names;
  for (json::value const& item : list->get_array()) {
    names.emplace_back(item.at("name").as_string());
  }
  return names;
}

void print(std::string const& zone, migrate::CheckReport const& report) {
  std::printf("%s: %zu RRsets asked for, %zu%s differ\n", zone.c_str(), report.asked, report.mismatches.size(),
              report.more ? " and more" : "");
  for (migrate::Mismatch const& one : report.mismatches) {
    std::printf("  %s %s\n    store:    %s\n    PowerDNS: %s\n", one.name.text().c_str(),
                dns::to_text(one.type).c_str(), one.stored.c_str(), one.answered.c_str());
  }
  if (!report.transfer.empty()) {
    std::printf("  what PowerDNS has beyond the store was not looked for: %s\n", report.transfer.c_str());
  }
}

json::object to_json(std::string const& zone, migrate::CheckReport const& report) {
  json::array mismatches;
  for (migrate::Mismatch const& one : report.mismatches) {
    mismatches.push_back(json::object{{"name", one.name.text()},
                                      {"type", dns::to_text(one.type)},
                                      {"store", one.stored},
                                      {"powerdns", one.answered}});
  }
  return {{"zone", zone},
          {"asked", report.asked},
          {"mismatches", std::move(mismatches)},
          {"more", report.more},
          {"transfer", report.transfer}};
}

}  // namespace

int zone_diff(Place const& place, std::string const& zone, std::string const& file, Output output) {
  auto const apex = dns::Name::parse(zone);
  if (!apex) {
    return say(apex.error().what(), 2);
  }
  auto const wanted = read_zone_file(file, *apex);
  if (!wanted) {
    std::fputs(base::text(wanted.error()).c_str(), stderr);
    return 2;
  }
  auto const connection = Connection::open(place, Without::open_store);
  if (!connection) {
    return say(connection.error().what(), 2);
  }
  auto const stored = stored_zone(**connection, zone);
  if (!stored) {
    return say(stored.error().what(), 2);
  }
  auto const differences = migrate::diff(stored->rrsets, *wanted);
  if (output.json) {
    std::printf("%s\n", json::serialize(migrate::json(differences)).c_str());
  } else if (!differences.empty()) {
    std::fputs(migrate::text(differences).c_str(), stdout);
  }
  return differences.empty() ? 0 : 1;
}

int check_answers(Place const& place, std::vector<std::string> const& zones, Output output) {
  auto const connection = Connection::open(place, Without::open_store);
  if (!connection) {
    return say(connection.error().what(), 2);
  }
  auto const names = zones.empty() ? zone_names(**connection) : base::Result<std::vector<std::string>>(zones);
  if (!names) {
    return say(names.error().what(), 2);
  }
  name_server::NameServer server(place.pdns_address, place.pdns_port);
  json::array reports;
  bool differs = false;
  for (std::string const& name : *names) {
    auto const zone = stored_zone(**connection, name);
    if (!zone) {
      return say(zone.error().what(), 2);
    }
    Progress progress("check of " + name);
    auto const report = migrate::check(
        server, *zone, [&progress](std::size_t asked, std::size_t all) { progress.tell(asked, all, "RRsets"); });
    if (!report) {
      return say(name + ": " + report.error().what(), 2);
    }
    differs = differs || !report->mismatches.empty();
    if (output.json) {
      reports.push_back(to_json(zone->apex.text(), *report));
    } else {
      print(zone->apex.text(), *report);
    }
  }
  if (output.json) {
    std::printf("%s\n", json::serialize(reports).c_str());
  }
  return differs ? 1 : 0;
}

}  // namespace commands
