// What a node took back, as a text that outlives its agent.
//
// Threads: pure functions.
#pragma once

#include "mesh/agent/trial/changes.hpp"

#include <string>
#include <string_view>

namespace agent {

// A line each: "revision 12", "mark ...", "tries 2", "next 1764000000", "dead 4", "controller" when that was lost,
// "unapplied" when the machine could not be changed so, "neighbor 10.200.0.3" of the world, "missing 10.200.0.3" of
// those lost.
std::string to_text(TakenBack const& of, Instant at);
// Nothing when it is not such a text. A pause that is over, or longer than the longest, is not believed: clocks jump.
std::optional<TakenBack> parse_taken_back(std::string_view text, Instant at);

}  // namespace agent
