#include "dns-backend/store/snapshot.hpp"

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

EntryPtr Zone::find(dns::Name const& name) const {
  EntryPtr const* const found = entries.find(name.key());
  return found == nullptr ? nullptr : *found;
}

ZonePtr Snapshot::zone(dns::Name const& apex) const {
  ZonePtr const* const found = zones.find(apex.key());
  return found == nullptr ? nullptr : *found;
}

ZonePtr Snapshot::enclosing(dns::Name const& name) const {
  // An ancestor's key is a prefix of the name's; the greatest key at or before it is the longest candidate, and when
  // that is no ancestor, one is among the prefixes they have in common.
  std::string_view key = name.key();
  for (;;) {
    auto const* const item = zones.predecessor(key);
    if (item == nullptr) {
      return nullptr;
    }
    if (name.key().starts_with(item->key)) {
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
