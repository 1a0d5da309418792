#include "dns-backend/monitor/recent_checks.hpp"

#include <algorithm>

namespace monitor {

void RecentChecks::add(std::int64_t at_ms, std::chrono::microseconds elapsed, bool success, std::string_view reason,
                       std::string_view warning) {
  CheckRecord& place = ring_[made_ % count_max];
  place.at_ms = at_ms;
  place.elapsed = elapsed;
  place.success = success;
  place.reason.assign(reason.substr(0, text_max));
  place.warning.assign(warning.substr(0, text_max));
  ++made_;
}

CheckRecord const* RecentChecks::last() const {
  return made_ == 0 ? nullptr : &ring_[(made_ - 1) % count_max];
}

std::vector<CheckRecord> RecentChecks::newest_first() const {
  std::vector<CheckRecord> out;
  std::size_t const count = std::min(made_, count_max);
  out.reserve(count);
  for (std::size_t back = 1; back <= count; ++back) {
    out.push_back(ring_[(made_ - back) % count_max]);
  }
  return out;
}

}  // namespace monitor
