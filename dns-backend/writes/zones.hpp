// Zones and their RRsets: what a write checks and which rows it makes.
//
// Threads: the store thread; ZoneSettings is a value.
#pragma once

#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/writes/write.hpp"

#include <string>
#include <vector>

namespace store {

// What of a zone is not content. `masters`: "ip", "ip:port" or "[ip6]:port", as PowerDNS reads them.
struct ZoneSettings {
  std::string kind = "native";  // "native", "master", "slave"
  std::vector<std::string> masters = {};
  std::string account = {};
};

// What the table holds at a name: nothing derived is among it.
base::Result<std::vector<dns::RRset>> rrsets_at(Write const& write, std::int64_t zone_id, dns::Name const& owner);

// What each does is said at the Store's functions of the same names; `settings` are checked already.
base::Result<void> create_zone(Write const& write, dns::Name const& apex, ZoneSettings const& settings,
                               std::vector<dns::OwnedRRset> const& rrsets);
base::Result<void> import_zone(Write const& write, dns::Name const& apex, std::vector<dns::OwnedRRset> const& rrsets);
base::Result<void> replace_rrsets(Write const& write, dns::Name const& apex,
                                  std::vector<dns::OwnedRRset> const& rrsets);
base::Result<void> delete_zone(Write const& write, dns::Name const& apex);

}  // namespace store
