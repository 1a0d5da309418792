// The parts of a machine that are neither WireGuard nor BIRD: addresses on lo and kernel settings.
//
// Threads: pure functions, and calls that block for the time of a system call.
#pragma once

#include "mesh/plan/plan.hpp"
#include "mesh/wireguard/kernel/link.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reconcile {

struct AddressChanges {
  std::vector<wireguard::Network> add;
  std::vector<wireguard::Network> remove;
};

// `owned` are the addresses an earlier run put on lo: only those are ever removed. Pure.
AddressChanges loopback_changes(std::vector<wireguard::Network> const& wanted,
                                std::vector<wireguard::Network> const& observed,
                                std::vector<wireguard::Network> const& owned);

// One address a line; lines that are none are skipped. Pure.
std::vector<wireguard::Network> parse_owned(std::string_view text);
std::string owned_text(std::vector<wireguard::Network> networks);

// Reads `root`/path and writes only when it says something else. True when it was written. A required setting that
// does not exist is a failure. Before net/ipv4/conf/all/rp_filter is lowered, the value it had is given to every
// interface that is not one of `ours`, so that nobody else's filter gets weaker.
base::Result<bool> apply_sysctl(plan::Sysctl const& sysctl, std::set<std::string> const& ours,
                                std::string const& root = "/proc/sys");

}  // namespace reconcile
