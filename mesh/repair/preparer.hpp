// Detours of the newest world, made on a thread of their own: one run of Dijkstra for each neighbour, over a second for
// ten thousand nodes, in which the loop goes on looking at the machine. The world and the plan that a thread reads are
// immutable, and what it makes is handed to the loop as a whole.
//
// Threads: one object on one loop; `ready` is called there. The destructor waits for the thread that runs.
#pragma once

#include "mesh/repair/detours.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace repair {

class Preparer {
 public:
  using World = std::shared_ptr<plan::World const>;
  using Plan = std::shared_ptr<plan::NodePlan const>;

  Preparer(boost::asio::any_io_executor loop, std::function<void(Detours)> ready);
  ~Preparer();
  Preparer(Preparer const&) = delete;
  Preparer& operator=(Preparer const&) = delete;

  // Nothing when the last call was about the same world and devices. Else what was ready counts no more, so `ready` is
  // called with none, and then with those of the last world and plan asked for. Those in between are left out while a
  // thread runs.
  void prepare(World world, Plan plan);
  [[nodiscard]] bool at_work() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace repair
