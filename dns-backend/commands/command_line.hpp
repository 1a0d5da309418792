// The words of the command line: which subcommands and options there are, and the function behind each.
//
// Threads: the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <functional>
#include <memory>

namespace CLI {
class App;
}  // namespace CLI

namespace commands {

// What was asked for, once the settings are known. Yields the exit code.
using Action = std::function<int(Place const&)>;

// Adds the subcommands to `app`; parsing sets `action`. Both must outlive the returned holder of the options' values.
std::shared_ptr<void> add_commands(CLI::App& app, Action& action);

}  // namespace commands
