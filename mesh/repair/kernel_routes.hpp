// Host routes of the kernel's main table through libnl-route: those that BIRD wrote, and our detours.
//
// Threads: one loop; calls block for the time of a system call.
#pragma once

#include "mesh/wireguard/device.hpp"
#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
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
  // Those of the protocol over one of these devices; that go over several next hops have no `device`.
  base::Result<std::vector<Route>> list(std::uint8_t protocol, std::set<std::string> const& devices);
  base::Result<std::vector<Route>> list_detours();  // over whatever device
  base::Result<void> add(Route const& route);       // a detour; replaces one
  base::Result<void> remove(Route const& route);    // a detour; a success when there is none

 private:
  KernelRoutes(wireguard::netlink::Socket socket, bool strict) : socket_(std::move(socket)), strict_(strict) {}
  base::Result<std::vector<Route>> listed(bool strict, std::uint8_t protocol, std::vector<unsigned> const& devices);

  wireguard::netlink::Socket socket_;
  bool strict_;  // the kernel lists the routes of one device alone
};

}  // namespace repair
