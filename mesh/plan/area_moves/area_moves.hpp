// What OSPF interrupts when links change their area: told before anything happens.
//
// In one area a link that goes stays as the last resort until the others carry. An area that a node leaves ends with
// the configuration that leaves it (RFC 2328, section 3: an adjacency is of one area), and a second one beside it would
// begin OSPF anew. So such a move is a break first.
//
// Threads: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace plan {

// Device -> area, of one node, before and after; a sentence for each adjacency that restarts or ends at once.
std::vector<std::string> area_moves(std::map<std::string, std::string> const& before,
                                    std::map<std::string, std::string> const& after);

}  // namespace plan
