// Status and certificates: what the daemon is asked and what is printed. They need the daemon.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input or the settings are wrong, every problem on
// stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

namespace commands {

int show_status(Place const& place, Output output);
int show_certificates(Place const& place, Output output);

}  // namespace commands
