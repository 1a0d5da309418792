// RRsets of request bodies: what PATCH changes and what a new zone holds, checked as PowerDNS checks them and with its
// sentences.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/powerdns/zones/routes.hpp"

#include <boost/json/array.hpp>

#include <vector>

namespace powerdns {

// `changes`: each item needs a changetype (PATCH). Without: a new zone's content.
Answer<std::vector<dns::OwnedRRset>> read_rrsets(dns::Name const& apex, boost::json::array const& items, bool changes);

// The RRsets of `wanted` that differ from what the zone has.
std::vector<dns::OwnedRRset> differing(store::Zone const& zone, std::vector<dns::OwnedRRset> wanted);

// PowerDNS's sentence when a CNAME would stand beside other data after these changes.
Answer<void> check_cnames(store::Zone const& zone, std::vector<dns::OwnedRRset> const& changes);

// The same zone's SOA with another serial; nothing when `changes` hold an SOA already or the zone has none.
void add_serial(store::Zone const& zone, std::uint32_t serial, std::vector<dns::OwnedRRset>& changes);

}  // namespace powerdns
