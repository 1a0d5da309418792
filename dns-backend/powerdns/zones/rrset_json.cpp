#include "dns-backend/powerdns/zones/rrset_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

namespace powerdns {
namespace {

namespace json = boost::json;
using dns::RRType;

constexpr std::int64_t ttl_max = 2147483647;  // RFC 2181 8

std::string title(dns::OwnedRRset const& owned) {
  return owned.owner.text() + " IN " + dns::to_text(owned.rrset.type);
}

// A number, or a text that is one.
std::optional<std::int64_t> integer(json::object const& item, std::string_view key) {
  auto const* const found = item.if_contains(key);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (found->is_string()) {
    std::string_view const text = found->get_string();
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  }
  return found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
}

// How many of the last words of a content are names, for the types that clients write by hand.
std::size_t names_at_end(RRType type) {
  static std::set<RRType> const one = {dns::type_ns,  dns::type_cname, dns::type_ptr,  dns::type_mx,
                                       dns::type_srv, dns::type_dname, dns::type_alias};
  return one.contains(type) ? 1 : 0;
}

// Text strings without quotes and names without the final dot mean one thing to some clients and another to others, so
// PowerDNS takes neither. Empty when the content is written as it must be.
std::string strict_form(RRType type, std::string const& content, std::string const& normal) {
  bool const unquoted = type == dns::type_txt && !content.starts_with('"');
  bool const relative = names_at_end(type) == 1 && !content.ends_with('.');
  bool relative_soa = false;
  if (type == dns::type_soa) {
    std::size_t const first = content.find(' ');
    std::size_t const second = first == std::string::npos ? first : content.find(' ', first + 1);
    relative_soa = second == std::string::npos || content[first - 1] != '.' || content[second - 1] != '.';
  }
  return unquoted || relative || relative_soa ? "Not in expected format (parsed as '" + normal + "')" : std::string();
}

Answer<std::string> read_record(dns::OwnedRRset const& owned, json::value const& item) {
  json::object const& record = item.is_object() ? item.get_object() : json::object();
  auto const content = required_text(record, "content");
  if (!content) {
    return content.error();
  }
  auto const disabled = optional_bool(record, "disabled", false);
  if (!disabled) {
    return disabled.error();
  }
  std::string const place =
      "Record " + owned.owner.text() + "/" + dns::to_text(owned.rrset.type) + " '" + *content + "': ";
  if (*disabled) {
    return Refusal{422, place + "Navigator stores no disabled records; delete it instead"};
  }
  auto const normal = dns::normalize_content(owned.rrset.type, *content);
  if (!normal) {
    return Refusal{422, place + "Parsing record content (try 'pdnsutil check-zone'): " + normal.error().detail};
  }
  if (std::string const wrong = strict_form(owned.rrset.type, *content, *normal); !wrong.empty()) {
    return Refusal{422, place + wrong};
  }
  return *normal;
}

Answer<void> read_contents(dns::OwnedRRset& owned, json::array const& records) {
  auto& contents = owned.rrset.contents;
  for (json::value const& item : records) {
    auto const content = read_record(owned, item);
    if (!content) {
      return content.error();
    }
    if (std::find(contents.begin(), contents.end(), *content) != contents.end()) {
      return Refusal{422, "Duplicate record in RRset " + title(owned) + " with content \"" + *content + "\""};
    }
    contents.push_back(*content);
  }
  bool const single =
      owned.rrset.type == dns::type_cname || owned.rrset.type == dns::type_soa || owned.rrset.type == dns::type_dname;
  if (single && contents.size() > 1) {
    return Refusal{422, "RRset " + title(owned) + " has more than one record"};
  }
  std::sort(contents.begin(), contents.end());
  return {};
}

Answer<dns::OwnedRRset> read_head(dns::Name const& apex, json::object const& item) {
  auto const text = required_text(item, "name");
  if (!text) {
    return text.error();
  }
  auto const name = canonical_name(*text);
  if (!name) {
    return name.error();
  }
  auto const word = required_text(item, "type");
  if (!word) {
    return word.error();
  }
  auto const type = dns::parse_type(*word);
  if (!type || !dns::is_storable(*type)) {
    return Refusal{422, "RRset " + name->text() + " IN " + *word + ": unknown type given"};
  }
  dns::OwnedRRset owned{*name, {*type, 0, {}}};
  if (!name->is_within(apex)) {
    return Refusal{422, "RRset " + title(owned) + ": Name is out of zone"};
  }
  if (*type == dns::type_soa && *name != apex) {
    return Refusal{422, "Record " + title(owned) + " is only allowed at apex"};
  }
  return owned;
}

// Sets TTL and contents.
Answer<void> read_replacement(dns::OwnedRRset& owned, json::object const& item) {
  auto const* const comments = item.if_contains("comments");
  bool const has_comments = comments != nullptr && comments->is_array();
  auto const* const records = item.if_contains("records");
  bool const has_records = records != nullptr && records->is_array();
  if (!has_records && !has_comments) {
    return Refusal{422, "No change for RRset " + title(owned)};
  }
  if (!has_records || (has_comments && !comments->get_array().empty())) {
    return Refusal{422, "Hosting backend does not support editing comments."};
  }
  auto const ttl = integer(item, "ttl");
  if (!ttl) {
    return Refusal{422, "Key 'ttl' not an Integer or not present"};
  }
  if (*ttl < 0 || *ttl > ttl_max) {
    return Refusal{422, "RRset " + title(owned) + ": a TTL is 0 to 2147483647"};
  }
  owned.rrset.ttl = static_cast<std::uint32_t>(*ttl);
  return read_contents(owned, records->get_array());
}

}  // namespace

Answer<std::vector<dns::OwnedRRset>> read_rrsets(dns::Name const& apex, json::array const& items, bool changes) {
  std::vector<dns::OwnedRRset> out;
  std::set<std::tuple<dns::Name, RRType, bool>> seen;
  for (json::value const& value : items) {
    json::object const& item = value.is_object() ? value.get_object() : json::object();
    auto owned = read_head(apex, item);
    if (!owned) {
      return owned.error();
    }
    bool remove = false;
    if (changes) {
      auto const word = required_text(item, "changetype");
      if (!word) {
        return word.error();
      }
      remove = same_word(*word, "DELETE");
      if (!remove && !same_word(*word, "REPLACE")) {
        return Refusal{422, "Changetype not understood"};
      }
      if (!seen.emplace(owned->owner, owned->rrset.type, remove).second) {
        return Refusal{422,
                       "Duplicate RRset " + title(*owned) + " with changetype: " + (remove ? "DELETE" : "REPLACE")};
      }
    } else if (!seen.emplace(owned->owner, owned->rrset.type, false).second) {
      return Refusal{422, "Duplicate RRset " + title(*owned)};
    }
    if (!remove) {
      if (auto const done = read_replacement(*owned, item); !done) {
        return done.error();
      }
    }
    // A set that is deleted and replaced in one request is replaced: later items win, as in PowerDNS.
    std::erase_if(
        out, [&owned](auto const& one) { return one.owner == owned->owner && one.rrset.type == owned->rrset.type; });
    out.push_back(std::move(*owned));
  }
  return out;
}

std::vector<dns::OwnedRRset> differing(store::Zone const& zone, std::vector<dns::OwnedRRset> wanted) {
  std::erase_if(wanted, [&zone](dns::OwnedRRset const& owned) {
    store::EntryPtr const entry = zone.find(owned.owner);
    if (entry == nullptr) {
      return owned.rrset.contents.empty();
    }
    auto const present = std::find_if(entry->rrsets.begin(), entry->rrsets.end(),
                                      [&owned](auto const& rrset) { return rrset.type == owned.rrset.type; });
    return present == entry->rrsets.end() ? owned.rrset.contents.empty() : *present == owned.rrset;
  });
  return wanted;
}

Answer<void> check_cnames(store::Zone const& zone, std::vector<dns::OwnedRRset> const& changes) {
  std::map<dns::Name, std::set<RRType>> types;
  for (dns::OwnedRRset const& owned : changes) {
    auto const [place, fresh] = types.try_emplace(owned.owner);
    if (fresh) {
      if (store::EntryPtr const entry = zone.find(owned.owner)) {
        for (dns::RRset const& rrset : entry->rrsets) {
          place->second.insert(rrset.type);
        }
      }
    }
    if (owned.rrset.contents.empty()) {
      place->second.erase(owned.rrset.type);
    } else {
      place->second.insert(owned.rrset.type);
    }
  }
  for (dns::OwnedRRset const& owned : changes) {
    auto const& at = types.at(owned.owner);
    if (!owned.rrset.contents.empty() && at.contains(dns::type_cname) && at.size() > 1) {
      return Refusal{422, "RRset " + title(owned) + ": Conflicts with pre-existing RRset"};
    }
  }
  return {};
}

void add_serial(store::Zone const& zone, std::uint32_t serial, std::vector<dns::OwnedRRset>& changes) {
  bool const has_soa =
      std::any_of(changes.begin(), changes.end(), [](auto const& owned) { return owned.rrset.type == dns::type_soa; });
  store::EntryPtr const apex = zone.find(zone.apex);
  if (has_soa || apex == nullptr) {
    return;
  }
  for (dns::RRset const& rrset : apex->rrsets) {
    if (rrset.type == dns::type_soa && !rrset.contents.empty()) {
      dns::RRset soa = rrset;
      soa.contents.front() = dns::with_soa_serial(soa.contents.front(), serial);
      changes.push_back({zone.apex, std::move(soa)});
    }
  }
}

}  // namespace powerdns
