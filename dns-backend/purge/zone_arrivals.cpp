#include "dns-backend/purge/zone_arrivals.hpp"

#include <algorithm>
#include <iterator>

namespace purge {

void ZoneArrivals::compare(store::Snapshot const& snapshot, Time now) {
  std::vector<dns::Name> present;
  present.reserve(snapshot.zones.size());
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) { present.push_back(zone->apex); });
  std::vector<dns::Name> moved;
  std::set_symmetric_difference(known_.begin(), known_.end(), present.begin(), present.end(),
                                std::back_inserter(moved));
  if (!first_) {
    for (dns::Name const& apex : moved) {
      recent_[apex] = now;
    }
  }
  known_ = std::move(present);
}

std::vector<store::Touched> ZoneArrivals::listed(store::Snapshot const& snapshot, Time now) {
  if (first_ || snapshot.revision != revision_) {
    compare(snapshot, now);
  }
  revision_ = snapshot.revision;
  std::erase_if(recent_, [&](auto const& item) { return now - item.second > remembered; });
  if (first_ || recent_.size() > zones_max) {
    first_ = false;
    return {store::Touched{dns::Name(), true}};
  }
  std::vector<store::Touched> names;
  for (auto const& [apex, when] : recent_) {
    names.push_back({apex, true});
  }
  return names;
}

}  // namespace purge
