// From an entry of a zone to the rows PowerDNS sees, addresses and service bindings of load balancers included.
//
// Threads: pure; any loop.
#pragma once

#include "dns-backend/pool/select.hpp"
#include "dns-backend/protocol/reply.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace remote {

struct Asked {
  store::Zone const& zone;
  store::Entry const& entry;
  std::string_view qname;  // echoed; as json_text() makes it
  dns::RRType type;        // type_any: all
};

// Rows of the asked types. An entry that has no data adds one row with an empty type, for ANY only. `asking`: by whom
// and when, for what a load balancer chooses; whether an answer may be empty is the zone's matter.
void add_entry(RowList& list, Asked const& asked, pool::Asking asking);

// `pattern` against owner names and contents, any case; "*" is any text, "?" one character. Reads zones in order until
// `results_max` rows (never more than 10,000) matched.
void search_records(RowList& list, store::Snapshot const& snapshot, pool::Asking const& asking,
                    std::string_view pattern, std::size_t results_max);

// Exposed for tests.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);

}  // namespace remote
