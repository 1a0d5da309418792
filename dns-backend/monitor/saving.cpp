#include "dns-backend/monitor/saving.hpp"

namespace monitor {

void Saving::began(probe::Time now) {
  began_ = now;
  changed_ = false;
}

std::optional<std::string> Saving::ended(base::Result<void> const& result) {
  if (result) {
    cause_.clear();
    return std::nullopt;
  }
  changed_ = true;
  std::string const cause = result.error().what();
  if (cause == cause_) {
    return std::nullopt;
  }
  cause_ = cause;
  return cause;
}

}  // namespace monitor
