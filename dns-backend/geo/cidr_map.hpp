// An operator's own map of addresses: which prefix is which region.
//
// A text file, one prefix a line, `#` begins a comment:
//
//   # prefix        region   [latitude,longitude]
//   10.0.0.0/8      office
//   10.20.0.0/16    factory  48.13,11.58
//   2001:db8::/32   DE
//
// The longest prefix that holds the whole client wins. Scopes are cut so that no longer prefix of the map lies within
// them (RFC 7871 7.2.1): a client of 10.0.0.0/8 above is told 10.128.0.0/9 or another part without 10.20.0.0/16.
//
// Threads: immutable; any thread. Reading a file blocks.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/geo/geo.hpp"

#include <boost/system/result.hpp>

#include <vector>

namespace geo {

class CidrMap final : public Locator {
 public:
  // All problems with their lines: no prefix, bits set behind it, a prefix twice, no region or a strange one, no such
  // coordinates, something after them.
  static boost::system::result<std::shared_ptr<CidrMap const>, base::Problems> parse(std::string_view text,
                                                                                     std::string const& source_name);
  static boost::system::result<std::shared_ptr<CidrMap const>, base::Problems> load(std::string const& path);

  [[nodiscard]] std::optional<Place> locate(Client const& client) const override;

  struct Entry {
    Client prefix;
    std::string region;
    bool has_coordinates = false;
    double latitude = 0, longitude = 0;
    std::int32_t around = -1;  // index of the next shorter prefix that holds this one; -1: none
  };
  struct Match {
    Entry const* entry;       // nullptr: no prefix holds the client
    std::uint8_t scope_bits;  // for either outcome
  };
  [[nodiscard]] Match match(Client const& client) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  // An address as a number; IPv4 in the leading bits.
  struct Key {
    std::uint64_t high = 0, low = 0;
    auto operator<=>(Key const&) const = default;
  };
  // From `start` to before the next range's start the entry is the longest match.
  struct Range {
    Key start;
    std::int32_t entry;
  };
  using Ranges = std::vector<Range>;

  explicit CidrMap(std::vector<Entry> entries);
  static Key key_of(Client const& client);
  static Key last_of(Client const& client);
  static Key next(Key key);
  static Key previous(Key key);
  static unsigned common_bits(Key a, Key b);
  Ranges ranges_of(bool ipv6);

  std::vector<Entry> entries_;  // by family, then by prefix, shorter ones first
  Ranges ipv4_;                 // sorted by start, the first at 0
  Ranges ipv6_;
};

}  // namespace geo
