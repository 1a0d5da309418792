// What differs between two contents of a zone, set by set.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/dns/rrset.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace migrate {

struct Line {
  std::uint32_t ttl = 0;
  std::string content;
  bool operator==(Line const&) const = default;
};

struct Difference {
  dns::Name name;
  dns::RRType type;
  std::vector<Line> removed;  // only in the first
  std::vector<Line> added;    // only in the second
};

// In canonical order. The serial inside an SOA does not count: Navigator raises it by itself.
std::vector<Difference> diff(std::vector<dns::OwnedRRset> before, std::vector<dns::OwnedRRset> after);

// "- www.example.org. 3600 IN A 192.0.2.1" and "+ ..." lines, and a line that counts them.
std::string text(std::vector<Difference> const& differences);
boost::json::object json(std::vector<Difference> const& differences);

}  // namespace migrate
