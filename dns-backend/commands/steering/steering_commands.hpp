// Monitors, pools, load balancers: what is asked and printed. Files are YAML or JSON. They work without a daemon too.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input is wrong, every problem on stderr as
// file:line:column, and nothing was changed.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"
#include "dns-backend/steering/objects.hpp"

#include <string>

namespace commands {

int object_list(Place const& place, steering::Kind kind, Output output);
int object_show(Place const& place, steering::Kind kind, std::string const& name, Output output);
int object_put(Place const& place, steering::Kind kind, std::string const& file);
int object_delete(Place const& place, steering::Kind kind, std::string const& name);

// The file is the whole set: what is not in it goes. Prints what came (+), changed (~) and went (-).
int steering_apply(Place const& place, std::string const& file, bool dry_run);
int steering_show(Place const& place, Output output);

}  // namespace commands
