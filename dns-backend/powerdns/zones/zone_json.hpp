// A zone as PowerDNS's API shows it.
//
// Threads: pure functions over immutable values.
#pragma once

#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace powerdns {

// The first value of a metadata kind; empty when there is none.
std::string metadata_text(store::Zone const& zone, std::string const& kind);
// TSIG-ALLOW-AXFR and its like, as lists.
std::vector<std::string> metadata_list(store::Zone const& zone, std::string const& kind);

// One of the list of zones. Without `dnssec`: neither "dnssec" nor "edited_serial", which cost PowerDNS time.
boost::json::object summary(store::Zone const& zone, bool dnssec, std::int64_t now_s);
// What belongs to one zone beside its records.
boost::json::object details(store::Zone const& zone, std::int64_t now_s);
boost::json::array rrsets_json(std::vector<dns::OwnedRRset> const& rrsets);

// "native", "master", "slave" of PowerDNS's words, 4.9's "Primary" and "Secondary" included; unknown words are native,
// as in PowerDNS. Empty for the catalog kinds, which Navigator does not have.
std::string kind_of(std::string_view word);

}  // namespace powerdns
