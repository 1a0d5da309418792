#include "dns-backend/snapshot/snapshot.hpp"

#include <algorithm>

namespace store {

namespace {

constexpr dns::RRType type_nsec3{50};

}  // namespace

bool Entry::only_signatures() const {
  return !rrsets.empty() && balancer == nullptr && std::all_of(rrsets.begin(), rrsets.end(), [](auto const& rrset) {
    return rrset.type == dns::type_rrsig || rrset.type == dns::type_nsec || rrset.type == type_nsec3;
  });
}

EntryPtr Zone::find(std::string_view key) const {
  EntryPtr const* const found = entries.find(key);
  return found == nullptr ? nullptr : *found;
}

ZonePtr Snapshot::zone(std::string_view apex_key) const {
  ZonePtr const* const found = zones.find(apex_key);
  return found == nullptr ? nullptr : *found;
}

ZonePtr Snapshot::zone_by_id(std::int64_t id) const {
  ZonePtr const* const found = zones_by_id.find(id);
  return found == nullptr ? nullptr : *found;
}

ZonePtr Snapshot::enclosing(std::string_view key) const {
  // An ancestor's key is a prefix of the name's; the greatest key at or before it is the longest candidate, and when
  // that is no ancestor, one is among the prefixes they have in common.
  std::string_view const whole = key;
  for (;;) {
    auto const* const item = zones.predecessor(key);
    if (item == nullptr) {
      return nullptr;
    }
    if (whole.starts_with(item->key)) {
      return item->value;
    }
    std::size_t common = 0;
    while (common < item->key.size() && common < key.size() && item->key[common] == key[common]) {
      ++common;
    }
    key = key.substr(0, common);
  }
}

}  // namespace store
