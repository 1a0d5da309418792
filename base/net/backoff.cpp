#include "base/net/backoff.hpp"

#include <algorithm>

namespace net {

std::chrono::milliseconds Backoff::next(std::uint32_t random) {
  auto wait = first_;
  for (unsigned i = 0; i < failures_ && wait < limit_; ++i) {
    wait *= 2;
  }
  wait = std::min(wait, limit_);
  // Beyond the doubling that reaches any limit the count tells nothing more; it must not overflow.
  failures_ = std::min(failures_ + 1, 64U);
  std::int64_t const quarter = wait.count() / 4;
  if (quarter == 0) {
    return wait;
  }
  return wait - std::chrono::milliseconds(static_cast<std::int64_t>(random) % (quarter + 1));
}

}  // namespace net
