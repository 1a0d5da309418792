// Tells when packet-filter rules, kernel settings of interfaces or a route that is nobody's of the mesh changed in this
// network namespace, whoever did it. Routes that BIRD writes wake nobody.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

namespace guard {

class Events {
 public:
  enum class Of { routes_and_settings, rules };
  static base::Result<Events> open(net::asio::any_io_executor executor, Of of);
  Events(Events&&) noexcept;
  Events& operator=(Events&&) noexcept;
  ~Events();

  // True at the next event, false at the deadline. Events that happened since the last call count.
  net::Task<bool> wait(std::chrono::milliseconds deadline);

 private:
  struct State;
  explicit Events(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Pure: whether one datagram of NETLINK_ROUTE tells of a setting, or of a route that does not belong.
bool is_news(std::span<std::uint8_t const> datagram);

}  // namespace guard
