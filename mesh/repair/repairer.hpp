// Watches BFD and switches to detours. See README.md.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/repair/detours.hpp"
#include "routing/bird/control.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace repair {

struct RepairSettings {
  std::string
      session_log;  // a file in a folder of its own, into which BIRD writes of sessions; empty: nothing is watched
  std::string bird_control;
};

struct RepairStatus {
  bool watching = false;
  std::size_t detours = 0;     // prepared
  std::size_t active = 0;      // in the kernel now
  std::uint64_t switched = 0;  // destinations, since the start
  std::string failure;         // the last one
};

class Repairer {
 public:
  Repairer(net::asio::any_io_executor executor, RepairSettings settings);
  ~Repairer();
  Repairer(Repairer const&) = delete;
  Repairer& operator=(Repairer const&) = delete;

  // Removes detours of an earlier run and begins to watch. The folder of the log is made. Once. Ends with the object.
  void start();
  void prepare(Detours detours);
  [[nodiscard]] RepairStatus const& status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace repair
