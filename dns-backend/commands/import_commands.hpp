// Zones into the store: from a master file, from PowerDNS's database, by transfer.
//
// Exit codes: 0 everything is there now; 1 something failed or was refused, each with its reason on stderr; 2 the input
// is wrong, every problem on stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include "base/result/problem.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <vector>

namespace commands {

// Creates or replaces one zone; all or nothing. Says whether anything changed.
int zone_import(Place const& place, std::string const& zone, std::string const& file);

struct ImportRequest {
  // A gsqlite3 database file, a libpq conninfo (postgresql://..., or "host=... dbname=..."), or axfr://host:port/zone.
  std::string source;
  std::vector<std::string> zones;  // only these; empty: all
  std::string tsig;                // name of a stored key for axfr; empty: unsigned
  bool dry_run = false;
  bool skip_refused = false;  // take a zone without the records that cannot be taken
};
// Zones with settings, records, metadata and keys; TSIG keys and autoprimaries too unless zones are named. A zone of
// which a record is refused is not imported, unless `skip_refused`.
int zone_import_from(Place const& place, ImportRequest const& request);

// A master file with what it includes (relative to the including file); 256 MiB each.
boost::system::result<std::vector<dns::OwnedRRset>, base::Problems> read_zone_file(std::string const& file,
                                                                                   dns::Name const& apex);

}  // namespace commands
