// The edge's part of the agent's status.
//
// Threads: pure functions.
#pragma once

#include "acme/edge/agent.hpp"

#include <string>

namespace privateer {

std::string edge_status_json(edge::AgentStatus const& status);

}  // namespace privateer
