#include "mesh/round_trips/window.hpp"

#include <algorithm>
#include <vector>

namespace round_trips {

void Window::sent(std::uint16_t sequence, Time now) {
  while (!echoes_.empty() && now - echoes_.front().at > window_length) {
    echoes_.pop_front();
  }
  echoes_.push_back({sequence, now, std::nullopt});
}

void Window::heard(std::uint16_t sequence, Time now) {
  // From the newest: a sequence comes again after 65,536.
  auto const found =
      std::find_if(echoes_.rbegin(), echoes_.rend(), [&](Echo const& echo) { return echo.sequence == sequence; });
  if (found != echoes_.rend() && !found->took && now - found->at <= patience) {
    found->took = std::chrono::duration_cast<RoundTrip>(now - found->at);
  }
}

Measured Window::measured(Time now) const {
  Measured out;
  std::vector<RoundTrip> took;
  std::size_t lost = 0;
  std::size_t due = 0;
  for (auto const& echo : echoes_) {
    if (now - echo.at > window_length) {
      continue;
    }
    ++out.sent;
    due += echo.took || now - echo.at > patience ? 1U : 0U;
    if (!echo.took) {
      lost += now - echo.at > patience ? 1U : 0U;
      continue;
    }
    took.push_back(*echo.took);
    if (now - echo.at <= fresh) {
      out.least = std::min(out.least.value_or(*echo.took), *echo.took);
    }
  }
  if (!took.empty()) {
    auto const middle = took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2);
    std::nth_element(took.begin(), middle, took.end());
    out.median = *middle;
  }
  out.loss = due == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(due);
  return out;
}

}  // namespace round_trips
