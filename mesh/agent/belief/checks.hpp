// What a world must be before a node is planned from it, beside being the controller's word.
//
// Threads: pure functions, but seed_of_topology, which reads a file.
#pragma once

#include "mesh/agent/belief/identity.hpp"
#include "mesh/plan/world.hpp"

#include <string>

namespace agent {

// A bare topology knows no keys: the node gets its addresses and routing, and its links when the controller answers.
base::Result<plan::WorldDocument> seed_of_topology(std::string const& file);

// A world of the controller's (`must_name`) must know this node by the key it has: one that does not is for another
// machine of that name. errc::other_node, cut_off.
base::Result<void> check_for_us(plan::WorldDocument const& document, std::string const& node, Identity const& identity,
                                bool must_name);

// Its topology must leave the node a link when it has one, and one to a node that has joined when it has one to
// somebody who stays a member: no later world could reach it to mend that. errc::cut_off.
base::Result<void> check_links(plan::World const& before, plan::World const& after, std::string const& node);

}  // namespace agent
