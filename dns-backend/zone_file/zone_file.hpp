// Master files (RFC 1035 5): zones as people write and exchange them.
//
// Threads: pure functions; `include` and `progress` are called on the caller's thread.
#pragma once

#include "base/result/problem.hpp"
#include "base/result/result.hpp"
#include "dns-backend/dns/name.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dns {

struct FileOptions {
  bool whole_zone = true;  // false: any records within the apex, not what a zone needs
  // The text of the file that $INCLUDE names, and the name for its problems; `from` is the including file's name.
  // Empty: $INCLUDE is refused. At most 8 files deep.
  struct Included {
    std::string source_name, text;
  };
  std::function<base::Result<Included>(std::string const& name, std::string const& from)> include = {};
  std::function<void(std::size_t records)> progress = {};  // each 50,000 records
};

// A master file (RFC 1035 5; $ORIGIN, $TTL, $INCLUDE, BIND's $GENERATE with at most 65,536 records each). All problems
// with their lines; also what makes a zone no zone: not exactly one SOA at the apex, no NS there, owners outside, CNAME
// beside other data.
boost::system::result<std::vector<OwnedRRset>, base::Problems> parse_zone_file(std::string_view text,
                                                                               std::string const& source_name,
                                                                               Name const& apex,
                                                                               FileOptions const& options = {});
// The way back, one record a line, canonical order.
std::string to_zone_file(Name const& apex, std::vector<OwnedRRset> const& rrsets);

}  // namespace dns
