// Which interface the kernel would send a packet through (RTM_GETROUTE of rtnetlink(7)).
//
// Threads: blocks for the time of a system call.
#pragma once

#include "mesh/wireguard/device.hpp"

#include <string>

namespace doctor {

// Its name; empty when there is no route. Otherwise the kernel's own failure.
base::Result<std::string> interface_towards(wireguard::Address const& address);

}  // namespace doctor
