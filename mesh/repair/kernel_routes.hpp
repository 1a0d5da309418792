// Host routes of the kernel's main table through libnl-route: those that BIRD wrote, and our detours.
//
// Threads: one loop; calls block for the time of a system call.
#pragma once

#include "mesh/wireguard/device.hpp"
#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace repair {

inline constexpr std::uint8_t bird_protocol = 12;     // RTPROT_BIRD
inline constexpr std::uint8_t detour_protocol = 201;  // ours: nobody else's routes are ever touched
inline constexpr std::uint32_t detour_metric = 16;    // before BIRD's 32

struct Route {
  wireguard::Network destination;
  std::string device;          // of a single next hop; empty: there are several (ECMP)
  wireguard::Address gateway;  // written by add only
  wireguard::Address source;   // written by add only
  // Of the several next hops. The kernel goes on using each: a link that fell silent keeps its device up.
  std::vector<std::string> legs = {};

  [[nodiscard]] bool uses(std::string const& name) const {
    return (!name.empty() && device == name) || std::find(legs.begin(), legs.end(), name) != legs.end();
  }
};

class KernelRoutes {
 public:
  static base::Result<KernelRoutes> open();
  base::Result<std::vector<Route>> list(std::uint8_t protocol);
  base::Result<void> add(Route const& route);     // a detour; replaces one
  base::Result<void> remove(Route const& route);  // a detour; a success when there is none

 private:
  explicit KernelRoutes(wireguard::netlink::Socket socket) : socket_(std::move(socket)) {}
  wireguard::netlink::Socket socket_;
};

}  // namespace repair
