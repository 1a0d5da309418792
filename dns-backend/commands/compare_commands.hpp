// What differs: a zone and a file, the store and what PowerDNS answers.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>
#include <vector>

namespace commands {

// As diff(1): 0 no difference, 1 differences on stdout ("-" only in the store, "+" only in the file), 2 trouble.
int zone_diff(Place const& place, std::string const& zone, std::string const& file, Output output);

// Every zone, or those named. 0 PowerDNS answers what the store holds, 1 it does not (on stdout), 2 trouble.
int check_answers(Place const& place, std::vector<std::string> const& zones, Output output);

}  // namespace commands
