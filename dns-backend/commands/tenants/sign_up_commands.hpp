// A tenant that makes itself: the sign-up, and the token that comes of it, in a file.
//
// Exit codes as tenant_commands.hpp has them.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>

namespace commands {

struct SignUpRequest {
  std::string label;
  std::string primary;          // empty: the first cluster for newcomers
  std::string invitation_file;  // empty: none; "-": standard input
};

// Writes the token to place.token_file, which nobody else may read. That file is begun before anything is asked and
// holds the request's key until the answer came: where that is lost, the same command again yields the same tenant.
int sign_up(Place const& place, SignUpRequest const& wish, Output output);

}  // namespace commands
