// Which rules of the kernel's policy routing let packets for a withdrawn anycast address pass on to the next instance.
//
// The address stays on lo: the check asks the service at it, and the service binds to it when it comes back. But the
// table of local addresses, which the kernel looks into before everything else, would end other people's packets here.
// So two rules come before it for each such address: what this machine itself sends goes by the local table as ever,
// what comes from elsewhere goes by the main table where that has a route to the address (BIRD's, to the next instance;
// a default route does not count), and by the local table where it has none. Rules are looked at in the order of their
// priority and there is none below 0, so the rule of the local table moves from 0 to 1 meanwhile.
//
// Threads: plain values and pure functions.
#pragma once

#include "mesh/wireguard/device.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace passing_on {

inline constexpr std::uint8_t our_protocol = 201;   // FRA_PROTOCOL of our rules: nobody else's are ever touched, but
inline constexpr std::uint8_t kernel_protocol = 2;  // the kernel's own of the local table
inline constexpr std::uint32_t local_table = 255;
inline constexpr std::uint32_t main_table = 254;

struct Rule {
  bool v6 = false;
  std::uint32_t priority = 0;
  std::uint32_t table = 0;
  std::uint8_t protocol = 0;
  std::string iif = {};                    // "lo": sent by this machine; empty: whatever
  std::optional<wireguard::Address> to{};  // one address; nullopt: whatever
  bool without_default = false;            // a default route is no answer (suppress_prefixlength 0)
  bool others = false;                     // has selectors that are not known here: nobody's business
  bool operator==(Rule const&) const = default;
};

struct Step {
  bool add = true;  // false: remove
  Rule rule;
  bool operator==(Step const&) const = default;
};

// What leads from the present rules to those for these addresses, in an order that leaves no moment without a rule of
// the local table. `unknown`: addresses of which nobody knows yet; what there is for them stays.
std::vector<Step> steps(std::vector<Rule> const& present, std::set<wireguard::Address> const& withdrawn,
                        std::set<wireguard::Address> const& unknown);

}  // namespace passing_on
