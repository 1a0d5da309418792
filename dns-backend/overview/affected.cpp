#include "dns-backend/overview/affected.hpp"

namespace overview {
namespace {

struct NamesOfZone {
  std::set<std::string> keys;
  bool whole = false;  // there are too many
};

// Behind every name within the one with this key: the last octet of a key is 0, and no key continues it with 1.
std::string behind(std::string key) {
  key.back() = 1;
  return key;
}

// By apex. Once a zone has too many, the rest of it is passed over.
void collect(store::Snapshot const& snapshot, store::BalancedNames::Names const& names, std::size_t names_max,
             std::map<std::string, NamesOfZone>& zones) {
  store::BalancedNames::Item const* at = names.first();
  while (at != nullptr) {
    store::ZonePtr const zone = snapshot.enclosing(at->key);
    std::string const apex = zone == nullptr ? std::string() : zone->apex.key();
    NamesOfZone& of_zone = zones[apex];
    if (!of_zone.whole) {
      of_zone.keys.insert(at->key);
      of_zone.whole = of_zone.keys.size() > names_max;
    }
    if (!of_zone.whole) {
      at = names.upper_bound(at->key);
    } else {
      at = apex.empty() ? nullptr : names.lower_bound(behind(apex));
    }
  }
}

}  // namespace

std::vector<store::Touched> names_answering(store::Snapshot const& snapshot, std::set<std::string> const& endpoints,
                                            std::size_t names_max) {
  std::set<std::string> pools;
  for (std::string const& endpoint : endpoints) {
    for (std::string& pool : snapshot.balanced.pools_with(endpoint)) {
      pools.insert(std::move(pool));
    }
  }
  std::map<std::string, NamesOfZone> zones;
  for (std::string const& pool : pools) {
    collect(snapshot, snapshot.balanced.names_of(pool), names_max, zones);
  }
  std::vector<store::Touched> all;
  for (auto const& [apex, names] : zones) {
    if (names.whole) {
      all.push_back({dns::Name::from_key(apex), true});
      continue;
    }
    for (std::string const& key : names.keys) {
      dns::Name const name = dns::Name::from_key(key);
      all.push_back({name.is_wildcard() ? name.parent() : name, name.is_wildcard()});
    }
  }
  return all;
}

}  // namespace overview
