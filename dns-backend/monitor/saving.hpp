// When what is known is saved (warm.hpp), so that a process that is killed begins where it was: soon after a change,
// never more often than once a pause, and each minute besides, because what is saved grows old. Pure.
//
// Threads: a plain value.
#pragma once

#include "base/probe/health_state.hpp"
#include "base/result/result.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace monitor {

class Saving {
 public:
  static constexpr std::chrono::milliseconds pause{3000};
  static constexpr std::chrono::milliseconds longest{60000};

  // Nothing is due for a pause: at the start all that is known came from the file.
  explicit Saving(probe::Time now) : began_(now) {}

  // Something is known that the file does not say.
  void changed() { changed_ = true; }
  [[nodiscard]] probe::Time due() const { return began_ + (changed_ ? pause : longest); }

  // The state is taken to be written; what changes from here on waits for the next time.
  void began(probe::Time now);
  // How that ended. What to warn of: a failure, unless the one before it had the same words. It is tried again after a
  // pause.
  std::optional<std::string> ended(base::Result<void> const& result);

 private:
  probe::Time began_;
  bool changed_ = false;
  std::string cause_;  // of the last failure; empty: the last time went well
};

}  // namespace monitor
