#include "dns-backend/powerdns/zones/new_zone.hpp"

#include "dns-backend/powerdns/zones/rrset_json.hpp"
#include "dns-backend/powerdns/zones/serial.hpp"
#include "dns-backend/powerdns/zones/zone_json.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace powerdns {
namespace {

namespace json = boost::json;

constexpr std::uint32_t default_ttl = 3600;

Answer<std::vector<std::string>> texts(json::value const& list, std::string const& what) {
  std::vector<std::string> out;
  if (!list.is_array()) {
    return Refusal{422, what + " is not a list"};
  }
  for (json::value const& item : list.get_array()) {
    if (!item.is_string() || item.get_string().empty()) {
      return Refusal{422, what + " must be non-empty strings"};
    }
    out.emplace_back(item.get_string());
  }
  return out;
}

// Names of TSIG keys that must exist, without the final dot, as PowerDNS keeps them in metadata.
Answer<void> read_tsig_ids(json::object const& body, char const* member, char const* kind,
                           std::vector<store::TsigKey> const& keys, ZoneExtras& extras) {
  auto const* const list = body.if_contains(member);
  if (list == nullptr) {
    return {};
  }
  auto const names = texts(*list, member);
  if (!names) {
    return names.error();
  }
  std::vector<std::string> stored;
  for (std::string const& text : *names) {
    auto const name = dns::Name::parse(text);
    bool const known = name && std::any_of(keys.begin(), keys.end(), [&name](store::TsigKey const& key) {
                         auto const other = dns::Name::parse(key.name);
                         return other && *other == *name;
                       });
    std::string const bare = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
    if (!known) {
      return Refusal{422, "A TSIG key with the name '" + bare + "' does not exist"};
    }
    stored.push_back(bare);
  }
  extras.metadata[kind] = stored;
  return {};
}

Answer<std::vector<dns::OwnedRRset>> read_content(json::object const& body, dns::Name const& apex) {
  auto const* const text = body.if_contains("zone");
  bool const has_text = text != nullptr && text->is_string() && !text->get_string().empty();
  auto const* const list = body.if_contains("rrsets");
  bool const has_list = list != nullptr && list->is_array();
  if (has_text && has_list) {
    return Refusal{422, "You cannot give rrsets AND zone data as text"};
  }
  if (has_list) {
    return read_rrsets(apex, list->get_array(), false);
  }
  if (!has_text) {
    return std::vector<dns::OwnedRRset>();
  }
  // What the body leaves to PowerDNS (SOA, NS) may be missing, so the rules of a zone are held against the whole later.
  dns::FileOptions options;
  options.whole_zone = false;
  auto records = dns::parse_zone_file(text->get_string(), "given string", apex, options);
  if (!records) {
    return Refusal{422, "An error occurred while parsing the zonedata: " + base::text(records.error())};
  }
  return std::move(*records);
}

bool has_at_apex(NewZone const& zone, dns::RRType type) {
  return std::any_of(zone.rrsets.begin(), zone.rrsets.end(),
                     [&zone, type](auto const& owned) { return owned.owner == zone.apex && owned.rrset.type == type; });
}

Answer<void> add_nameservers(json::object const& body, NewZone& zone, std::string& first) {
  auto const* const list = body.if_contains("nameservers");
  if (list == nullptr || list->is_null()) {
    return {};
  }
  auto const names = texts(*list, "Nameservers");
  if (!names) {
    return names.error();
  }
  dns::RRset servers{dns::type_ns, default_ttl, {}};
  for (std::string const& text : *names) {
    if (!text.ends_with('.')) {
      return Refusal{422, "Nameserver is not canonical: '" + text + "'"};
    }
    auto const name = dns::Name::parse(text);
    if (!name) {
      return Refusal{422, "Unable to parse DNS Name for NS '" + text + "'"};
    }
    first = first.empty() ? name->text() : first;
    servers.contents.push_back(name->text());
  }
  if (servers.contents.empty()) {
    return {};
  }
  if (has_at_apex(zone, dns::type_ns)) {
    return Refusal{422, "Nameservers list MUST NOT be mixed with zone-level NS in rrsets"};
  }
  std::sort(servers.contents.begin(), servers.contents.end());
  servers.contents.erase(std::unique(servers.contents.begin(), servers.contents.end()), servers.contents.end());
  zone.rrsets.push_back({zone.apex, std::move(servers)});
  return {};
}

// PowerDNS's default-soa-content, with the first name server as the primary where there is one.
void add_soa(NewZone& zone, std::string const& first_server) {
  std::string const server = first_server.empty() ? "a.misconfigured.dns.server.invalid." : first_server;
  std::string const mailbox = "hostmaster." + (zone.apex.is_root() ? std::string() : zone.apex.text());
  std::string const content = server + " " + mailbox + " 0 10800 3600 604800 3600";
  auto const normal = dns::normalize_content(dns::type_soa, content);
  zone.rrsets.push_back({zone.apex, {dns::type_soa, default_ttl, {normal ? *normal : content}}});
}

void raise_serial(NewZone& zone, std::int64_t now_s) {
  auto const first = [&zone](char const* kind) {
    auto const found = zone.extras.metadata.find(kind);
    return found == zone.extras.metadata.end() || found->second.empty() ? std::string() : found->second.front();
  };
  for (dns::OwnedRRset& owned : zone.rrsets) {
    if (owned.rrset.type == dns::type_soa && !owned.rrset.contents.empty()) {
      std::string& soa = owned.rrset.contents.front();
      soa =
          dns::with_soa_serial(soa, next_serial(first("SOA-EDIT-API"), first("SOA-EDIT"), dns::soa_serial(soa), now_s));
    }
  }
}

}  // namespace

Answer<std::vector<std::string>> read_masters(json::value const& list) {
  auto masters = texts(list, "Masters");
  if (!masters) {
    return masters.error();
  }
  for (std::string const& master : *masters) {
    // "ip", "ip:port", "[ip6]:port": the store knows the details, here only what is no address at all.
    std::size_t const end = master.starts_with('[')                 ? master.find(']')
                            : master.find(':') == master.rfind(':') ? master.find(':')
                                                                    : std::string::npos;
    std::string const address = master.starts_with('[') ? master.substr(1, end - 1) : master.substr(0, end);
    boost::system::error_code bad;
    boost::asio::ip::make_address(address, bad);
    if (bad) {
      return Refusal{
          422, "Master (" + master + ") is not an IP address: Unable to convert presentation address '" + master + "'"};
    }
  }
  return masters;
}

Answer<ZoneExtras> read_extras(json::object const& body, std::vector<store::TsigKey> const& tsig_keys) {
  ZoneExtras extras;
  static constexpr std::array<std::pair<char const*, char const*>, 3> words{
      {{"soa_edit", "SOA-EDIT"}, {"soa_edit_api", "SOA-EDIT-API"}, {"nsec3param", "NSEC3PARAM"}}};
  for (auto const& [member, kind] : words) {
    if (auto const* const value = body.if_contains(member); value != nullptr && value->is_string()) {
      std::string const text(value->get_string());
      extras.metadata[kind] = text.empty() ? std::vector<std::string>() : std::vector<std::string>{text};
    }
  }
  static constexpr std::array<std::pair<char const*, char const*>, 3> switches{
      {{"api_rectify", "API-RECTIFY"}, {"nsec3narrow", "NSEC3NARROW"}, {"presigned", "PRESIGNED"}}};
  for (auto const& [member, kind] : switches) {
    if (auto const* const value = body.if_contains(member); value != nullptr && !value->is_null()) {
      auto const on = optional_bool(body, member, false);
      if (!on) {
        return on.error();
      }
      extras.metadata[kind] = *on ? std::vector<std::string>{"1"} : std::vector<std::string>();
    }
  }
  if (auto const* const value = body.if_contains("dnssec"); value != nullptr && value->is_bool()) {
    extras.dnssec = value->get_bool();
  }
  for (auto const& [member, kind] :
       {std::pair{"master_tsig_key_ids", "TSIG-ALLOW-AXFR"}, std::pair{"slave_tsig_key_ids", "AXFR-MASTER-TSIG"}}) {
    if (auto const done = read_tsig_ids(body, member, kind, tsig_keys, extras); !done) {
      return done.error();
    }
  }
  return extras;
}

Answer<NewZone> read_new_zone(json::object const& body, dns::Name const& apex,
                              std::vector<store::TsigKey> const& tsig_keys, std::int64_t now_s) {
  NewZone zone;
  zone.apex = apex;
  auto const kind = required_text(body, "kind");
  if (!kind) {
    return kind.error();
  }
  zone.settings.kind = kind_of(*kind);
  if (zone.settings.kind.empty()) {
    return Refusal{422, "Navigator has no catalog zones: the kind must be Native, Master or Slave"};
  }
  auto content = read_content(body, apex);
  if (!content) {
    return content.error();
  }
  zone.rrsets = std::move(*content);
  std::string first_server;
  if (auto const done = add_nameservers(body, zone, first_server); !done) {
    return done.error();
  }
  if (!has_at_apex(zone, dns::type_soa) && zone.settings.kind != "slave") {
    add_soa(zone, first_server);
  }
  if (auto const* const masters = body.if_contains("masters"); masters != nullptr && !masters->is_null()) {
    auto list = read_masters(*masters);
    if (!list) {
      return list.error();
    }
    zone.settings.masters = std::move(*list);
  }
  if (auto const* const account = body.if_contains("account"); account != nullptr && account->is_string()) {
    zone.settings.account = std::string(account->get_string());
  }
  auto extras = read_extras(body, tsig_keys);
  if (!extras) {
    return extras.error();
  }
  zone.extras = std::move(*extras);
  zone.extras.metadata.try_emplace("SOA-EDIT-API", std::vector<std::string>{"DEFAULT"});
  auto const& metadata = zone.extras.metadata;
  auto const nsec3 = metadata.find("NSEC3PARAM");
  if (nsec3 != metadata.end() && !nsec3->second.empty() && !zone.extras.dnssec.value_or(false)) {
    return Refusal{422, "NSEC3PARAM value provided for zone '" + apex.text() + "', but zone is not DNSSEC secured."};
  }
  if (zone.settings.kind != "slave") {
    raise_serial(zone, now_s);
  }
  return zone;
}

}  // namespace powerdns
