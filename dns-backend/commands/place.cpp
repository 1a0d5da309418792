#include "dns-backend/commands/place.hpp"

#include <cstdio>

namespace commands {

int say(std::string const& sentence, int exit_code) {
  std::fprintf(stderr, "navigator: %s\n", sentence.c_str());
  return exit_code;
}

}  // namespace commands
