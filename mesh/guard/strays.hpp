// Routes over this node's mesh devices that nobody but a person can have made: of another protocol than BIRD's, the
// kernel's and that of detours. They would go before what routing has found, and stay when a link dies.
//
// Threads: one loop; calls block for the time of a system call.
#pragma once

#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace guard {

// Pure: may a route of this protocol (rtnetlink(7)) lead over a mesh device?
bool belongs(std::uint8_t protocol);

class Strays {
 public:
  static base::Result<Strays> open();

  // Those that remove() would remove: "192.0.2.0/24 over wg-ams".
  base::Result<std::vector<std::string>> list(std::set<std::string> const& devices);
  // Removes those of the main table whose every next hop is one of these devices, by name; a sentence for each.
  base::Result<std::vector<std::string>> remove(std::set<std::string> const& devices);

 private:
  Strays(wireguard::netlink::Socket socket, bool strict) : socket_(std::move(socket)), strict_(strict) {}
  wireguard::netlink::Socket socket_;
  bool strict_;  // the kernel lists the routes of one device alone
};

}  // namespace guard
