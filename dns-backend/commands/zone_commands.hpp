// Zones as the operator handles them. Every command works through the daemon, or on the store itself while none runs.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input or the settings are wrong, every problem on
// stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>

namespace commands {

int zone_import(Place const& place, std::string const& zone, std::string const& file);
int zone_export(Place const& place, std::string const& zone);
int zone_list(Place const& place, Output output);
int zone_delete(Place const& place, std::string const& zone);

}  // namespace commands
