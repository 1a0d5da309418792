// Does PowerDNS answer what the store holds? Each RRset of a zone is asked for, and where a transfer is allowed, what
// PowerDNS has beyond that is found too.
//
// Threads: blocks; the command line only. questions() is a pure function.
#pragma once

#include "dns-backend/name_server/name_server.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace migrate {

struct StoredZone {
  dns::Name apex;
  std::vector<dns::OwnedRRset> rrsets;
  std::set<dns::Name> balanced;  // names whose addresses are chosen at each question
  bool serial_edited = false;    // SOA-EDIT: PowerDNS serves another serial than it stores
};

// One RRset and where its answer stands: at a delegation the NS come in the authority section, not authoritative.
struct Question {
  dns::OwnedRRset expected;
  bool referral = false;
};
// Without what cannot be asked for: ALIAS and LUA and other sets at their names, addresses that a balancer chooses, and
// what lies below a delegation or a DNAME.
std::vector<Question> questions(StoredZone const& zone);

struct Mismatch {
  dns::Name name;
  dns::RRType type;
  std::string stored;    // "60 192.0.2.1; ..." or "nothing"
  std::string answered;  // as above, or "NXDOMAIN", ...
};

struct CheckReport {
  std::size_t asked = 0;
  std::vector<Mismatch> mismatches;  // at most 1,000
  bool more = false;                 // there were more
  std::string transfer;              // why PowerDNS's own content was not compared; empty: it was
};

// `progress` is called after each 1,000 questions. A server that cannot be asked ends the check with its failure.
base::Result<CheckReport> check(name_server::NameServer& server, StoredZone const& zone,
                                std::function<void(std::size_t asked, std::size_t all)> const& progress);

}  // namespace migrate
