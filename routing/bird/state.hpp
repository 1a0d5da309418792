// Reader of what BIRD prints for `show ospf state PROTOCOL`: the link-state database as BIRD sees it, router by router.
//
// Input is the text of a reply, any bytes: lines that do not look like a row are left out. Checked against BIRD 2.0.12.
//
// Threads: pure functions.
#pragma once

#include "routing/bird/status.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bird {

// What one router says: of each other router, the costs of its links there, ascending.
struct RouterState {
  bool reachable = true;  // from the BIRD that was asked
  std::map<std::string, std::vector<std::uint32_t>> links;
  bool operator==(RouterState const&) const = default;
};

// By router id. A router that speaks in several areas is one entry.
using OspfState = std::map<std::string, RouterState>;

[[nodiscard]] OspfState parse_ospf_state(Lines const& lines);

}  // namespace bird
