// Where the CNAMEs at a name lead, step by step.
//
// Threads: pure; `lookup` is called on the caller's thread.
#pragma once

#include "dns-backend/domains/verify.hpp"

#include <optional>
#include <vector>

namespace domains {

// The names that CNAMEs lead through, the first one in front, until one of `ends` or the last one; at most 9.
struct Trace {
  std::vector<dns::Name> names;
  std::optional<Verdict> trouble;  // cname_loop, cname_too_long, lookup_failed
};
Trace trace(dns::Name const& name, Lookup const& lookup, std::vector<dns::Name> const& ends);

}  // namespace domains
