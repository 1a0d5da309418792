// Two who pass for one are told by what comes in turns: the marks of two processes in the reports of one node, two
// addresses that one key's packets come from. What was replaced stays away, as after a restart or a move; what comes
// back was never gone. Pure.
//
// Threads: a value; time is a parameter.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace twins {

using Time = std::chrono::steady_clock::time_point;

class Turns {
 public:
  static constexpr std::size_t marks_max = 16;
  // `returns_least`: how often one must have come back within `window` before two are believed in.
  Turns(std::chrono::seconds window, unsigned returns_least) : window_(window), returns_least_(returns_least) {}

  // `who` showed `mark`; `place` says where that was, for people. More than `marks_max` at a time are not kept.
  void saw(std::string const& who, std::string const& mark, std::string const& place, Time now);
  // The places of all marks of `who` within the window, in their order; empty: they did not come in turns.
  [[nodiscard]] std::vector<std::string> places(std::string const& who, Time now) const;
  // The same without the place of `mark`.
  [[nodiscard]] std::vector<std::string> others(std::string const& who, std::string const& mark, Time now) const;
  // Everybody whose marks come in turns, with their places.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> all(Time now) const;
  // Those that were not seen within the window are forgotten.
  void forget(Time now);
  [[nodiscard]] std::size_t size() const { return seen_.size(); }

 private:
  struct Mark {
    std::string place;
    Time last;
  };
  struct Seen {
    std::map<std::string, Mark> marks;
    std::string latest;
    std::vector<Time> returns;
  };
  [[nodiscard]] bool fresh(Time at, Time now) const { return now - at <= window_; }
  std::chrono::seconds window_;
  unsigned returns_least_;
  std::map<std::string, Seen> seen_;
};

}  // namespace twins
