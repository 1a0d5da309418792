// The body of POST /zones: everything a new zone begins with, checked before anything is written.
//
// Threads: pure function.
#pragma once

#include "dns-backend/powerdns/zones/routes.hpp"
#include "dns-backend/store/store.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace powerdns {

// What of a zone's body becomes metadata and keys; of PUT as well. Unset: not mentioned.
struct ZoneExtras {
  std::map<std::string, std::vector<std::string>> metadata;  // an empty list deletes
  std::optional<bool> dnssec;
};

struct NewZone {
  dns::Name apex;
  store::ZoneSettings settings;
  std::vector<dns::OwnedRRset> rrsets;
  ZoneExtras extras;
};

// `tsig_keys`: those that exist, whose names a zone may mention.
Answer<NewZone> read_new_zone(boost::json::object const& body, dns::Name const& apex,
                              std::vector<store::TsigKey> const& tsig_keys, std::int64_t now_s);

Answer<ZoneExtras> read_extras(boost::json::object const& body, std::vector<store::TsigKey> const& tsig_keys);
Answer<std::vector<std::string>> read_masters(boost::json::value const& list);

}  // namespace powerdns
