#include "base/manual/values.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace manual {

std::string fixed_values(CLI::Option const& option, char separator) {
  std::string const type = option.get_type_name();
  auto const open = type.find('{');
  if (open == std::string::npos || !type.ends_with('}')) {
    return {};
  }
  std::string values = type.substr(open + 1, type.size() - open - 2);
  std::replace(values.begin(), values.end(), ',', separator);
  return values;
}

}  // namespace manual
