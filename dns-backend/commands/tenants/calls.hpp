// One call of the daemon's API, and its answer as it is printed: what the words about tenants share.
//
// Exit codes as tenant_commands.hpp has them.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <utility>
#include <vector>

namespace commands {

using Columns = std::vector<std::pair<std::string, std::string>>;

std::string tenant_path(std::string const& label);
// Every page of a list, as one; with --json as one document as well. `target` has a query already.
int print_pages(Place const& place, Output output, std::string const& target, char const* name, Columns const& columns);
// One call; with --json its answer, else the member `shown` of it, when there is one.
int call_and_print(Place const& place, std::string const& method, std::string const& target,
                   boost::json::object const& body, Output output, char const* shown);
int remove(Place const& place, std::string const& target);

}  // namespace commands
