// How often the web server is reloaded. Each reload leaves workers behind that drain for as long as their streams last,
// so a list that changes all the time is applied a handful of times at once, and then with pauses in which what else
// changed is gathered.
//
// Threads: a plain value; `now` and the like are parameters.
#pragma once

#include <algorithm>
#include <chrono>

namespace edge {

struct ReloadPaceSettings {
  unsigned burst = 30;                    // reloads without a pause; one more is gained in each pause
  std::chrono::milliseconds least{1000};  // a pause
  int durations = 10;                     // or so many times what the last reload took, when that is longer
  std::chrono::milliseconds most{60000};
};

class ReloadPace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit ReloadPace(ReloadPaceSettings settings) : settings_(settings), pause_(settings.least) {}

  void reloaded(Time began, Time ended) {
    auto const took = std::chrono::ceil<std::chrono::milliseconds>(ended - began);
    pause_ = std::min(std::max(settings_.least, took * settings_.durations), settings_.most);
    // However many there were: nobody waits for more than one pause.
    full_at_ = std::min(std::max(full_at_, ended) + pause_, ended + pause_ * settings_.burst);
  }

  // How long the next one has to wait; 0: not at all.
  [[nodiscard]] std::chrono::milliseconds rest(Time now) const {
    Time const open_at = full_at_ - pause_ * (settings_.burst - 1);
    return open_at <= now ? std::chrono::milliseconds(0) : std::chrono::ceil<std::chrono::milliseconds>(open_at - now);
  }

 private:
  ReloadPaceSettings settings_;
  std::chrono::milliseconds pause_;
  Time full_at_{};
};

}  // namespace edge
