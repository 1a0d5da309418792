// Whether a domain is its tenant's and leads where it must: what DNS says, judged.
//
// Pure but for `Lookup`, which asks. One reason for one failure, the first that has to be mended.
//
// Threads: any; a Lookup may block.
#pragma once

#include "dns-backend/dns/rrset.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace domains {

// Below the domain, the TXT record that proves it is its owner who claims it.
inline constexpr char const* proof_label = "_navigator-challenge";

struct Wanted {
  dns::Name domain;
  std::vector<dns::Name> targets;                                // names of the tenant, the present one first
  dns::Name challenge_target;                                    // slug.challenge-zone
  std::vector<std::string> challenge_labels{"_acme-challenge"};  // one of these must be delegated there; none: nothing
  std::string proof;
  bool needs_proof = true;          // of a claim; afterwards that it leads here is proof enough
  bool served_here = false;         // a zone of this store holds it: it answers as the tenant does, without a CNAME
  std::set<std::string> addresses;  // what the tenant answers
};

struct LookupAnswer {
  std::vector<dns::OwnedRRset> answer;  // with the CNAMEs on the way, when there were any
  bool failed = false;
  std::string error;  // of a failure
};
using Lookup = std::function<LookupAnswer(dns::Name const&, dns::RRType)>;

struct Verdict {
  std::string code;    // "ok", or a word that stays the same: proof_missing, cname_loop, ...
  std::string reason;  // for people; empty when it is ok
  std::string hint;
  std::vector<dns::Name> through = {};  // of one that is ok: the names its CNAMEs lead through to here
  [[nodiscard]] bool ok() const { return code == "ok"; }
  [[nodiscard]] bool temporary() const { return code == "lookup_failed"; }  // says nothing about the domain
};

Verdict judge(Wanted const& wanted, Lookup const& lookup);

}  // namespace domains
