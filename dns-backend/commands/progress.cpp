#include "dns-backend/commands/progress.hpp"

#include <cstdio>

namespace commands {

void Progress::tell(std::size_t done, std::size_t all, char const* what) {
  auto const now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::seconds(2)) {
    return;
  }
  last_ = now;
  std::string const of = all == 0 ? std::string() : " of " + std::to_string(all);
  std::fprintf(stderr, "navigator: %s: %zu%s %s\n", doing_.c_str(), done, of.c_str(), what);
}

}  // namespace commands
