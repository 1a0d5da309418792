// Routes as the kernel lists them, message by message: nothing is kept of those that nobody wants. On a machine with a
// full BGP table there are a million, so the kernel is asked for those over one device alone where it can (Linux 4.20).
//
// Threads: one loop; blocks for the time of the system calls.
#pragma once

#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <linux/rtnetlink.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace wireguard::netlink {

// Makes the kernel go by what a dump asks for. False: it is too old, and lists everything. The socket then takes only
// requests that are complete: dumps by libnl are not.
bool be_strict(Socket& socket);

using TakeRoute = std::function<void(rtmsg const&, std::span<std::uint8_t const> message)>;

// Unicast routes of the main table, both families; over these devices (interface numbers) at least where the kernel is
// strict, otherwise everybody's: whoever takes them looks for himself.
base::Result<void> dump_routes(Socket& socket, bool strict, std::vector<unsigned> const& devices,
                               TakeRoute const& take);

// Pure: the request for one family and device; 0: for every device.
std::vector<std::uint8_t> dump_request(std::uint8_t family, unsigned device);

}  // namespace wireguard::netlink
