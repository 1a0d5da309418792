// Search over zones and records, as PowerDNS's API offers it.
//
// Threads: pure functions over an immutable snapshot; any thread.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <string_view>

namespace powerdns {

struct Search {
  std::string pattern;  // '*' any text, '?' one character; a final dot may be left out
  std::size_t results_max = 100;
  bool zones = true;
  bool records = true;
};

// Zones first, then records whose name or content matches, in canonical order.
boost::json::array find(store::Snapshot const& snapshot, Search const& search);

// Without regard to ASCII case. O(pattern x text) at worst.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace powerdns
