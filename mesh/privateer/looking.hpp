// What this machine's settings say of its agent: where it keeps what it knows, and how it loads rules.
//
// Threads: place_of and bird_log are pure; rules_command looks for a program.
#pragma once

#include "mesh/looking/looking.hpp"
#include "mesh/settings/settings.hpp"

#include <string>
#include <vector>

namespace privateer {

// The command that loads rules; empty when they are not this agent's.
std::vector<std::string> rules_command(Settings const& settings);
// Where a BIRD that the agent starts writes its log.
std::string bird_log(Settings const& settings);
looking::Place place_of(Settings const& settings);

}  // namespace privateer
