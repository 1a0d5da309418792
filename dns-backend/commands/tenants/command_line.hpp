// The words `tenant`, `record`, `domain`, `token`, `invitation`, `sign-up` and `audit` of the command line.
//
// Threads: the command line only.
#pragma once

#include "dns-backend/commands/command_line.hpp"

namespace commands {

// As add_commands() in dns-backend/commands/command_line.hpp.
std::shared_ptr<void> add_tenant_commands(CLI::App& app, Action& action);

}  // namespace commands
