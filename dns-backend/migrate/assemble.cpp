#include "dns-backend/migrate/source.hpp"

#include "base/result/category.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace migrate {
namespace {

using Key = std::pair<dns::Name, dns::RRType>;

std::string upper(std::string text) {
  for (char& c : text) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

// "192.0.2.1, 192.0.2.2:5300" or with blanks, tabs or semicolons between.
std::vector<std::string> split_masters(std::string const& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while ((begin = text.find_first_not_of(" ,;\t", begin)) != std::string::npos) {
    std::size_t const end = std::min(text.find_first_of(" ,;\t", begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

// Why the record is not taken; empty when it went into `sets`.
std::string take(RecordRow const& row, dns::Name const& apex, std::map<Key, dns::RRset>& sets) {
  auto const owner = dns::Name::parse(row.name.value_or(""));
  if (!row.name || row.name->empty() || !owner) {
    return owner ? "a record without a name" : owner.error().detail;
  }
  if (!owner->is_within(apex)) {
    return "the name lies outside the zone";
  }
  auto const type = dns::parse_type(*row.type);
  if (!type) {
    return type.error().detail;
  }
  std::string content = row.content.value_or("");
  if (*type == dns::type_mx || *type == dns::type_srv) {
    content = std::to_string(row.priority) + " " + content;
  }
  auto const normal = dns::normalize_content(*type, content);
  if (!normal) {
    return normal.error().detail;
  }
  if (row.ttl < 0 || row.ttl > 2147483647) {
    return "the TTL " + std::to_string(row.ttl) + " is none (RFC 2181 8)";
  }
  auto const ttl = static_cast<std::uint32_t>(row.ttl);
  auto const [place, fresh] = sets.try_emplace({*owner, *type}, dns::RRset{*type, ttl, {}});
  place->second.ttl = std::min(place->second.ttl, ttl);
  place->second.contents.push_back(*normal);
  return {};
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("migrate", [](int value) {
    switch (static_cast<errc>(value)) {
      case errc::unreachable:
        return "the source cannot be reached";
      case errc::refused:
        return "the source refuses";
      case errc::bad_answer:
        return "the source's answer makes no sense";
      case errc::bad_source:
        return "no such kind of source";
    }
    return "unknown migrate error";
  });
  return {static_cast<int>(code), category};
}

Zone assemble(DomainRow const& domain, std::vector<RecordRow> const& records) {
  Zone zone;
  zone.name = domain.name;
  zone.settings.account = domain.account;
  zone.settings.masters = split_masters(domain.masters);
  std::string const kind = upper(domain.type);
  zone.settings.kind = kind == "MASTER" ? "master" : kind == "SLAVE" ? "slave" : "native";
  auto const apex = dns::Name::parse(domain.name);
  if (!apex) {
    zone.refused.push_back({domain.name, "", "", apex.error().detail});
    return zone;
  }
  zone.apex = *apex;
  if (kind == "PRODUCER" || kind == "CONSUMER") {
    zone.refused.push_back({domain.name, "", "", "Navigator has no catalog zones (kind " + kind + ")"});
    return zone;
  }
  std::map<Key, dns::RRset> sets;
  for (RecordRow const& row : records) {
    if (!row.type || row.type->empty()) {
      continue;  // an empty non-terminal
    }
    if (row.disabled) {
      ++zone.disabled;
    } else if (std::string why = take(row, *apex, sets); !why.empty()) {
      zone.refused.push_back({row.name.value_or(""), *row.type, row.content.value_or(""), std::move(why)});
    }
  }
  for (auto& [key, rrset] : sets) {
    std::sort(rrset.contents.begin(), rrset.contents.end());
    rrset.contents.erase(std::unique(rrset.contents.begin(), rrset.contents.end()), rrset.contents.end());
    zone.rrsets.push_back({key.first, std::move(rrset)});
  }
  // A secondary may be empty: it has not been transferred yet.
  if (!zone.rrsets.empty() || zone.settings.kind != "slave") {
    for (dns::Conflict const& conflict : dns::check_zone(*apex, zone.rrsets)) {
      std::string const type = conflict.type.value == 0 ? "" : dns::to_text(conflict.type);
      zone.refused.push_back({conflict.owner.text(), type, "", conflict.message});
    }
  }
  return zone;
}

boost::json::object json(Zone const& zone) {
  boost::json::array metadata;
  for (auto const& [kind, values] : zone.metadata) {
    metadata.push_back(boost::json::object{{"kind", kind}, {"values", boost::json::value_from(values)}});
  }
  boost::json::array keys;
  for (store::Key const& key : zone.keys) {
    keys.push_back(boost::json::object{{"id", key.id},
                                       {"flags", key.flags},
                                       {"active", key.active ? 1 : 0},
                                       {"published", key.published ? 1 : 0},
                                       {"content", key.content}});
  }
  return {{"kind", zone.settings.kind},
          {"masters", boost::json::value_from(zone.settings.masters)},
          {"account", zone.settings.account},
          {"zone", zone.rrsets.empty() ? std::string() : dns::to_zone_file(*zone.apex, zone.rrsets)},
          {"metadata", std::move(metadata)},
          {"keys", std::move(keys)}};
}

}  // namespace migrate
