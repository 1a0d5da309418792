#include "dns-backend/powerdns/zones/zone_json.hpp"

#include "dns-backend/powerdns/zones/routes.hpp"
#include "dns-backend/powerdns/zones/serial.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace powerdns {

namespace json = boost::json;

std::vector<std::string> metadata_list(store::Zone const& zone, std::string const& kind) {
  auto const found = zone.metadata.find(kind);
  return found == zone.metadata.end() ? std::vector<std::string>() : found->second;
}

std::string metadata_text(store::Zone const& zone, std::string const& kind) {
  auto const values = metadata_list(zone, kind);
  return values.empty() ? std::string() : values.front();
}

namespace {

bool secured(store::Zone const& zone) {
  return std::any_of(zone.keys.begin(), zone.keys.end(), [](store::Key const& key) { return key.active; });
}

// Metadata name keys without the final dot, ids have it.
std::vector<std::string> key_ids(store::Zone const& zone, std::string const& kind) {
  std::vector<std::string> ids = metadata_list(zone, kind);
  for (std::string& id : ids) {
    auto const name = dns::Name::parse(id);
    id = name ? id_of_name(*name) : id;
  }
  return ids;
}

char const* kind_word(std::string const& kind) {
  return kind == "master" ? "Master" : kind == "slave" ? "Slave" : "Native";
}

}  // namespace

json::object summary(store::Zone const& zone, bool dnssec, std::int64_t now_s) {
  json::object out;
  std::string const id = id_of_name(zone.apex);
  out["account"] = zone.account;
  out["catalog"] = "";
  if (dnssec) {
    bool const presigned = metadata_text(zone, "PRESIGNED") == "1";
    out["dnssec"] = secured(zone) || presigned;
    out["edited_serial"] = presigned ? zone.serial : edited_serial(metadata_text(zone, "SOA-EDIT"), zone.serial, now_s);
  }
  out["id"] = id;
  out["kind"] = kind_word(zone.kind);
  out["last_check"] = zone.last_check_s;
  out["masters"] = json::value_from(zone.masters);
  out["name"] = zone.apex.text();
  out["notified_serial"] = zone.notified_serial;
  out["serial"] = zone.serial;
  out["url"] = "/api/v1/servers/localhost/zones/" + id;
  return out;
}

json::object details(store::Zone const& zone, std::int64_t now_s) {
  json::object out = summary(zone, true, now_s);
  out["api_rectify"] = metadata_text(zone, "API-RECTIFY") == "1";
  out["master_tsig_key_ids"] = json::value_from(key_ids(zone, "TSIG-ALLOW-AXFR"));
  out["nsec3narrow"] = metadata_text(zone, "NSEC3NARROW") == "1";
  out["nsec3param"] = metadata_text(zone, "NSEC3PARAM");
  out["slave_tsig_key_ids"] = json::value_from(key_ids(zone, "AXFR-MASTER-TSIG"));
  out["soa_edit"] = metadata_text(zone, "SOA-EDIT");
  out["soa_edit_api"] = metadata_text(zone, "SOA-EDIT-API");
  return out;
}

json::array rrsets_json(std::vector<dns::OwnedRRset> const& rrsets) {
  json::array list;
  list.reserve(rrsets.size());
  for (dns::OwnedRRset const& owned : rrsets) {
    json::array records;
    for (std::string const& content : owned.rrset.contents) {
      records.push_back(json::object{{"content", content}, {"disabled", false}});
    }
    list.push_back(json::object{{"comments", json::array()},
                                {"name", owned.owner.text()},
                                {"records", std::move(records)},
                                {"ttl", owned.rrset.ttl},
                                {"type", dns::to_text(owned.rrset.type)}});
  }
  return list;
}

std::string kind_of(std::string_view word) {
  if (same_word(word, "Producer") || same_word(word, "Consumer")) {
    return {};
  }
  if (same_word(word, "Master") || same_word(word, "Primary")) {
    return "master";
  }
  return same_word(word, "Slave") || same_word(word, "Secondary") ? "slave" : "native";
}

}  // namespace powerdns
