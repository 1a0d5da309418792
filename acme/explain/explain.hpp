// From everything that was seen of one name's certificate to the faults in it: a word that stays the same, what is
// wrong in one sentence, and what mends it. What only takes its time (not due yet, its turn) is no fault.
//
// Threads: plain values and pure functions.
#pragma once

#include "acme/status/status.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace acme {

struct Fault {
  std::string code;  // "cname_missing", "site_down", ...
  std::string what;
  std::string fix;
  bool operator==(Fault const&) const = default;
};

// Where the CNAMEs at the challenge's name lead, as a CA passes through them.
struct ChainSight {
  std::vector<std::string> names;  // at least the challenge's own
  std::string trouble;             // cname_loop, cname_too_long, lookup_failed; empty: none
  std::string reason;              // of the trouble
};

// One DNS site, asked by its own address. Texts say what is wrong; empty: it answers.
struct SiteSight {
  std::string site;
  bool in_service = false;
  std::int64_t behind = 0;                                   // revisions
  std::string udp, tcp;                                      // of our own zone at all
  std::vector<std::pair<std::string, std::string>> lacking;  // values that it should answer now, and what it says
};

struct Seen {
  SubjectStatus status;
  std::vector<std::pair<std::string, Hindrance>> hindrances;  // with the CA's directory; empty: all
  std::vector<vault::Event> events;                           // newest first
  std::vector<AuthorityStatus> authorities;
  IssuerStatus issuer;
  ChainSight chain;
  std::map<std::string, std::vector<std::string>> caa;  // contents by name, ours and others'
  std::string caa_failure;                              // they cannot be looked up
  std::vector<SiteSight> sites;
  std::vector<std::string> edges_without;  // that should serve the present certificate and have not acknowledged it
  std::string key_problem;                 // the present certificate's key does not open
};

// The worst ones first; none twice.
[[nodiscard]] std::vector<Fault> faults_of(Seen const& seen);

// Of a tenant or domain that wants no certificate now: why that is. `reason`: what the last look at the domain found.
[[nodiscard]] Fault suspended(std::string const& tenant);
[[nodiscard]] Fault unverified(std::string const& tenant, std::string const& domain, std::string const& reason);

}  // namespace acme
