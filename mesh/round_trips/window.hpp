// The last minute of echoes over one link, and what it says. Pure.
//
// Threads: plain values. Time is a parameter.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace round_trips {

using Time = std::chrono::steady_clock::time_point;
using RoundTrip = std::chrono::microseconds;

inline constexpr std::chrono::seconds window_length{60};
inline constexpr std::chrono::seconds fresh{10};
// An echo that takes longer is lost.
inline constexpr std::chrono::seconds patience{2};

struct Measured {
  std::optional<RoundTrip> least;   // of the last ten seconds: what a cost is made of
  std::optional<RoundTrip> median;  // of the last minute: for people
  double loss = 0;                  // 0 to 1, of those of the last minute that are due; 0 when none is
  std::size_t sent = 0;             // in the last minute
};

class Window {
 public:
  void sent(std::uint16_t sequence, Time now);
  // An answer to what was not sent, was answered, or is late changes nothing.
  void heard(std::uint16_t sequence, Time now);
  [[nodiscard]] Measured measured(Time now) const;

 private:
  struct Echo {
    std::uint16_t sequence = 0;
    Time at{};
    std::optional<RoundTrip> took;
  };
  std::deque<Echo> echoes_;  // oldest first
};

}  // namespace round_trips
