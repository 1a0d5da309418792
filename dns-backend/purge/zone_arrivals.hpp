// Which zones PowerDNS has just learnt of or forgotten, as a value.
//
// PowerDNS knows its zones by a list of its own, which it fetches every zone-cache-refresh-interval (getAllDomains).
// Between the creation of a zone and that moment it refuses the zone's names, and its packet cache keeps the refusals
// as long as cache-ttl says. So a zone that came or went is purged again after each listing, for an hour: several
// PowerDNS may share one Navigator and each lists at its own time.
//
// Threads: a plain value.
#pragma once

#include "dns-backend/store/store.hpp"

#include <chrono>
#include <map>
#include <vector>

namespace purge {

class ZoneArrivals {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::hours remembered{1};
  static constexpr std::size_t zones_max = 1000;  // more at once: everything is purged instead

  // `snapshot` was just listed to some PowerDNS. What to purge now; the first listing after a start purges everything,
  // because what changed while this process did not run is not known.
  std::vector<store::Touched> listed(store::Snapshot const& snapshot, Time now);

 private:
  void compare(store::Snapshot const& snapshot, Time now);

  bool first_ = true;
  std::int64_t revision_ = 0;
  std::vector<dns::Name> known_;  // apexes in canonical order
  std::map<dns::Name, Time> recent_;
};

}  // namespace purge
