// Sends an echo over each link of this node about once a second and keeps what comes back.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/plan/world.hpp"
#include "mesh/round_trips/window.hpp"
#include "mesh/wireguard/device.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace round_trips {

// One device of a link, with what the world says of it.
struct Target {
  std::string device;
  std::string link;            // topology::Link::name()
  std::string node;            // at the other end
  wireguard::Address address;  // link-local, of the other end
  std::uint32_t cost = 0;      // OSPF, as this node announces it
  bool measured = false;       // the cost follows round trips
};
// Both devices that a link may have, whether or not they are there. A node that the world does not name has none.
std::vector<Target> targets_of(plan::World const& world, std::string const& node);

inline constexpr std::size_t targets_limit = 2048;

struct LinkTime {
  Target target;
  Measured measured;
};

class Prober {
 public:
  explicit Prober(net::asio::any_io_executor executor);
  ~Prober();
  Prober(Prober const&) = delete;
  Prober& operator=(Prober const&) = delete;

  void start();  // once; ends with the object
  // From now on these (the first 2,048); what was measured of a device that stays is kept.
  void follow(std::vector<Target> targets);
  // By device.
  [[nodiscard]] std::map<std::string, LinkTime> measured(Time now) const;
  // Why nothing is measured; empty: it is.
  [[nodiscard]] std::string const& failure() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace round_trips
