#include "dns-backend/remote/commands.hpp"

#include "dns-backend/remote/secondary.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

namespace remote {
namespace {

constexpr std::size_t lines_max = 1000;

constexpr std::string_view help =
    "status       version, revision, numbers\n"
    "zones        every zone: kind, serial, names\n"
    "zone NAME    one zone with its settings\n"
    "check        what is wrong with any zone\n"
    "help         this";

bool has_soa(store::Zone const& zone) {
  store::EntryPtr const apex = zone.find(zone.apex);
  return apex && std::any_of(apex->rrsets.begin(), apex->rrsets.end(),
                             [](auto const& rrset) { return rrset.type == dns::type_soa; });
}

// Collects lines; those above the limit are counted only.
class Lines {
 public:
  void add(std::string const& line) {
    if (++count_ <= lines_max) {
      text_ += line + "\n";
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::string finish(std::string const& summary) const {
    std::string const rest = count_ > lines_max ? "and " + std::to_string(count_ - lines_max) + " more\n" : "";
    return text_ + rest + summary;
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

std::string status(store::Snapshot const& snapshot) {
  std::size_t secondaries = 0;
  std::size_t names = 0;
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    secondaries += zone->kind == "slave" ? 1U : 0U;
    names += zone->entries.size();
  });
  return "navigator " SOVEREIGN_VERSION ", revision " + std::to_string(snapshot.revision) + ", " +
         std::to_string(snapshot.zones.size()) + " zones (" + std::to_string(secondaries) + " secondary), " +
         std::to_string(names) + " names";
}

std::string zones(store::Snapshot const& snapshot) {
  Lines lines;
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    lines.add(zone->apex.text() + " " + zone->kind + " " + std::to_string(zone->serial) + " " +
              std::to_string(zone->entries.size()));
  });
  return lines.finish(std::to_string(snapshot.zones.size()) + " zones");
}

std::string one_zone(store::Snapshot const& snapshot, std::string const& text, std::int64_t now_s) {
  base::Result<dns::Name> const name = dns::Name::parse(text);
  store::ZonePtr const zone = name ? snapshot.zone(*name) : nullptr;
  if (!zone) {
    return "there is no zone '" + text + "'";
  }
  std::string out = zone->apex.text() + " id " + std::to_string(zone->id) + ", " + zone->kind + ", serial " +
                    std::to_string(zone->serial) + ", notified " + std::to_string(zone->notified_serial) + ", " +
                    std::to_string(zone->entries.size()) + " names, " + std::to_string(zone->keys.size()) + " keys";
  for (std::string const& master : zone->masters) {
    out += "\nmaster " + master;
  }
  if (zone->kind == "slave") {
    out += "\nlast check " + std::to_string(zone->last_check_s) + (is_due(*zone, now_s) ? ", due" : ", fresh");
  }
  if (!zone->account.empty()) {
    out += "\naccount " + zone->account;
  }
  return out;
}

std::string check(store::Snapshot const& snapshot) {
  Lines problems;
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    std::string const apex = zone->apex.text();
    bool const secondary = zone->kind == "slave";
    if (!has_soa(*zone)) {
      problems.add(apex + (secondary ? " was never transferred" : " has no SOA"));
    } else if (secondary && zone->last_check_s == 0) {
      problems.add(apex + " was not compared with its masters since it was marked stale");
    }
    if (secondary && zone->masters.empty()) {
      problems.add(apex + " is a secondary without masters");
    }
    bool const signs = std::any_of(zone->keys.begin(), zone->keys.end(), [](auto const& key) { return key.active; });
    if (signs && zone->metadata.contains("PRESIGNED")) {
      problems.add(apex + " is presigned and has active keys: PowerDNS uses the signatures it was sent");
    }
  });
  return problems.finish(std::to_string(snapshot.zones.size()) + " zones, " + std::to_string(problems.count()) +
                         " problems");
}

}  // namespace

std::string run_command(std::string_view line, store::Snapshot const& snapshot, std::int64_t now_s) {
  std::istringstream words{std::string(line)};
  std::string command;
  std::string argument;
  std::string rest;
  words >> command >> argument >> rest;
  bool const alone = argument.empty();
  if (command == "status" && alone) {
    return status(snapshot);
  }
  if (command == "zones" && alone) {
    return zones(snapshot);
  }
  if (command == "zone" && !alone && rest.empty()) {
    return one_zone(snapshot, argument, now_s);
  }
  if (command == "check" && alone) {
    return check(snapshot);
  }
  return (command == "help" ? "" : "unknown command '" + std::string(line.substr(0, 200)) + "'; known:\n") +
         std::string(help);
}

}  // namespace remote
