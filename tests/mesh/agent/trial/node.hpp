// A node whose worlds are tried, and its clock.
//
// Threads: the test's own.
#pragma once

#include "mesh/agent/trial/changes.hpp"

#include <cstdint>
#include <string>

namespace agent::trial_tests {

using namespace std::chrono_literals;
using Taken = Changes::Taken;
using Step = Changes::Step;

inline Seen const everybody{{"bob", "cat"}, true};
inline Seen const without_bob{{"cat"}, true};
inline Seen const nobody{{}, false};

inline Offer world(std::int64_t revision, std::string mark, bool urgent = false) {
  return {revision, std::move(mark), {"bob", "cat"}, 4s, urgent, false};
}

// A node and its clock; the wall clock begins at a whole minute.
struct Node {
  Changes changes;
  std::int64_t now_s = 600;

  Node() { changes.use(world(1, "a")); }
  [[nodiscard]] Instant at() const { return {Moment{} + std::chrono::seconds(now_s), now_s}; }
  Taken offer(std::int64_t revision, std::string mark, Seen const& seen = everybody, bool urgent = false) {
    return changes.offer(world(revision, std::move(mark), urgent), seen, at());
  }
  bool makeable = true;  // this machine takes what is wanted of it
  // What a pass does each second.
  Step look(Seen seen) {
    if (makeable) {
      changes.applied(at().now);
    }
    if (changes.asks_controller(seen, at().now)) {
      changes.controller_asked(seen.controller);
    }
    seen.answered = seen.controller ? at().now : seen.answered;
    auto const step = changes.step(seen, at());
    if (step == Step::failed) {
      changes.go_back(seen, at());
    }
    return step;
  }
  // The first step that is not none; the clock stands at it.
  Step wait(std::int64_t seconds, Seen const& seen) {
    for (auto const until = now_s + seconds; now_s <= until; ++now_s) {
      if (auto const step = look(seen); step != Step::none) {
        return step;
      }
    }
    return Step::none;
  }
};

}  // namespace agent::trial_tests
