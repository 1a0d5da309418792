#include "dns-backend/purge/zone_changes.hpp"

#include <set>

namespace purge {

ZoneChanges::ZoneChanges(store::Snapshot const& snapshot) {
  snapshot.zones.for_each(
      [&](std::string const& key, store::ZonePtr const& zone) { known_.emplace_hint(known_.end(), key, zone->apex); });
}

std::vector<dns::Name> ZoneChanges::published(store::Snapshot const& snapshot,
                                              std::vector<store::Touched> const& touched) {
  std::set<dns::Name> moved;
  for (store::Touched const& one : touched) {
    if (!one.subtree) {
      continue;
    }
    std::string const from = one.name.key();
    snapshot.zones.for_each_from(from, [&](std::string const& key, store::ZonePtr const& zone) {
      bool const within = zone->apex.is_within(one.name);
      if (within && !known_.contains(key)) {
        moved.insert(zone->apex);
      }
      return within;
    });
    for (auto at = known_.lower_bound(from); at != known_.end() && at->second.is_within(one.name); ++at) {
      if (!snapshot.zones.contains(at->first)) {
        moved.insert(at->second);
      }
    }
  }
  for (dns::Name const& apex : moved) {
    if (known_.erase(apex.key()) == 0) {
      known_.emplace(apex.key(), apex);
    }
  }
  return {moved.begin(), moved.end()};
}

}  // namespace purge
