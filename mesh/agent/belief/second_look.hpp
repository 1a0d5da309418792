// When a world in a file was refused because it is dated later than the clock says: the clock may be set meanwhile, and
// then the file is to be looked at again. Pure.
//
// Threads: plain values; one owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace agent {

class SecondLook {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds interval{60};
  static constexpr std::int64_t step_s = 2;  // less is slewing, or how the two clocks are rounded

  // A file was refused so.
  void owe(Moment now, std::int64_t wall_s);
  // Whether it is time: a minute has passed, or the wall clock was set. Once it is, it is owed no more.
  bool due(Moment now, std::int64_t wall_s);

 private:
  struct Owed {
    Moment at{};
    std::int64_t wall_s = 0;
  };
  std::optional<Owed> owed_;
};

}  // namespace agent
