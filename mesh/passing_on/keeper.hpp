// Keeps the rules for anycast addresses that are withdrawn on this machine while they are, and nothing when none is.
// An agent that ends leaves them: what is withdrawn stays withdrawn, too.
//
// Threads: one object on one loop; a call blocks for the time of a few system calls.
#pragma once

#include "mesh/passing_on/kernel_rules.hpp"
#include "routing/anycast/announcer.hpp"

#include <optional>
#include <vector>

namespace passing_on {

class Keeper {
 public:
  // Call at each look, and when the verdict on a service has changed, before BIRD is told. Errors of netlink; tried
  // again with the next call.
  base::Result<void> keep(std::vector<anycast::AddressStatus> const& services);

 private:
  std::optional<KernelRules> rules_;
};

}  // namespace passing_on
