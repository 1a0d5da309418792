// The fixed set of values that an option takes.
//
// Threads: a pure function.
#pragma once

#include <string>

namespace CLI {
class Option;
}

namespace manual {

// As CLI11 writes them ("TEXT:{svg,dot}"), with `separator` between them; empty: any value will do.
std::string fixed_values(CLI::Option const& option, char separator);

}  // namespace manual
