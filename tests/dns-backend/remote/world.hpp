// A small world for tests: zones put together by hand, with the derived facts (cuts, glue, empty non-terminals) stated.
#pragma once

#include "dns-backend/remote/answer.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <boost/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

inline dns::Name name(std::string const& text) { return dns::Name::parse(text).value(); }

struct ZoneDraft {
  std::int64_t id = 1;
  std::string apex = "example.org.";
  std::uint32_t serial = 2026;
  std::map<std::string, std::shared_ptr<store::Entry>> entries = {};
  std::map<std::string, std::vector<std::string>> metadata = {};
  std::vector<store::Key> keys = {};
  std::string kind = "native";
  std::map<std::string, std::string> hashes = {};  // NSEC3: hash -> owner
  std::vector<std::string> masters = {};
  std::string account = {};
  std::int64_t last_check_s = 0;

  store::Entry& at(std::string const& owner) {
    dns::Name const parsed = name(owner);
    auto& entry = entries[parsed.key()];
    if (!entry) {
      entry = std::make_shared<store::Entry>();
      entry->key = parsed.key();
    }
    return *entry;
  }
  ZoneDraft& record(std::string const& owner, std::string const& type, std::vector<std::string> contents) {
    at(owner).rrsets.push_back({dns::parse_type(type).value(), 300, std::move(contents)});
    return *this;
  }

  [[nodiscard]] store::ZonePtr zone() const {
    auto made = std::make_shared<store::Zone>();
    made->id = id;
    made->apex = name(apex);
    made->serial = serial;
    made->kind = kind;
    made->masters = masters;
    made->account = account;
    made->last_check_s = last_check_s;
    made->metadata = metadata;
    made->keys = keys;
    for (auto const& [key, entry] : entries) {
      made->entries = made->entries.insert(entry);
    }
    for (auto const& [hash, owner] : hashes) {
      made->nsec3 = made->nsec3.insert(hash, entries.at(name(owner).key()));
    }
    return made;
  }
};

// example.org with one of everything.
inline ZoneDraft example() {
  ZoneDraft draft;
  draft.record("example.org.", "SOA", {"ns1.example.org. hostmaster.example.org. 2026 10800 3600 604800 300"})
      .record("example.org.", "NS", {"ns1.example.org."})
      .record("ns1.example.org.", "A", {"192.0.2.1"})
      .record("www.example.org.", "A", {"192.0.2.2", "192.0.2.3"})
      .record("www.example.org.", "TXT", {"\"a \\\"quoted\\\" text\""})
      .record("*.wild.example.org.", "A", {"192.0.2.4"})
      .record("deep.ent.example.org.", "A", {"192.0.2.5"})
      .record("sub.example.org.", "NS", {"ns.sub.example.org."})
      .record("sub.example.org.", "DS", {"1 13 2 aa"})
      .record("ns.sub.example.org.", "A", {"192.0.2.6"});
  draft.at("wild.example.org.");
  draft.at("ent.example.org.");
  draft.at("sub.example.org.").cut = true;
  draft.at("ns.sub.example.org.").below_cut = true;
  return draft;
}

inline std::shared_ptr<store::Snapshot> snapshot(std::vector<ZoneDraft> const& drafts) {
  auto made = std::make_shared<store::Snapshot>();
  made->revision = 7;
  for (auto const& draft : drafts) {
    store::ZonePtr const zone = draft.zone();
    made->zones = made->zones.insert(zone->apex.key(), zone);
    made->zones_by_id = made->zones_by_id.insert(zone->id, zone);
  }
  return made;
}

// The reply to one line.
inline std::string ask(store::Snapshot const& snapshot, std::string const& line, pool::HealthTable const& health = {},
                       std::int64_t now_s = 0) {
  auto const request = remote::parse_request(line).value();
  std::string out;
  remote::answer(request, {snapshot, health, false, nullptr, now_s}, out).value();
  return out;
}

inline boost::json::value result(std::string const& reply) { return boost::json::parse(reply).at("result"); }

inline std::string lookup(std::string const& qname, std::string const& type = "ANY", int zone_id = -1) {
  return R"({"method": "lookup", "parameters": {"local": "127.0.0.1", "qname": ")" + qname + R"(", "qtype": ")" + type +
         R"(", "real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": )" + std::to_string(zone_id) + "}}\n";
}

// "A 192.0.2.1 auth=1", one a row.
inline std::vector<std::string> rows(std::string const& reply) {
  std::vector<std::string> out;
  boost::json::value const all = result(reply);  // outlives the loop
  for (auto const& row : all.as_array()) {
    out.push_back(std::string(row.at("qtype").as_string()) + " " + std::string(row.at("content").as_string()) +
                  " auth=" + std::to_string(row.at("auth").as_int64()));
  }
  return out;
}

}  // namespace test
