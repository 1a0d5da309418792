// Prints a list of JSON objects as an aligned table, the way `wg` and `birdc` users expect: a header line, one line an
// object.
//
// Threads: pure function.
#pragma once

#include <boost/json/array.hpp>

#include <string>
#include <utility>
#include <vector>

namespace commands {

// `columns` are (key, heading). A missing key prints as "-", a list as its items joined by commas.
std::string table(boost::json::array const& rows, std::vector<std::pair<std::string, std::string>> const& columns);

}  // namespace commands
