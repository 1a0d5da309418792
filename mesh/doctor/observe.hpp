// Looks at this machine, so that a node can be examined with its agent running or not: devices and their sessions, lo,
// kernel settings, routes to endpoints, echoes over each link, BIRD. Reads only.
//
// Threads: one loop; netlink calls block for the time of a system call. About a second, for the echoes.
#pragma once

#include "base/net/task.hpp"
#include "mesh/doctor/facts.hpp"

#include <chrono>
#include <string>

namespace doctor {

struct Sources {
  std::string wireguard_sockets = "/var/run/wireguard";  // of wireguard-go
  std::string bird_control = "/run/bird/bird.ctl";
  std::string state_directory;  // whose free space counts
  std::string proc_sys = "/proc/sys";
  std::string proc_net = "/proc/net";
  std::chrono::milliseconds echo_deadline{800};
  std::chrono::milliseconds device_deadline{500};  // for each wireguard-go
};

// Fills in what facts_of() left open; needs CAP_NET_ADMIN and CAP_NET_RAW. What could not be observed stays absent and
// is told in `facts->blind`. The facts must outlive the task.
net::Task<void> observe(Sources sources, Facts* facts);

// Interfaces with addresses out of router advertisements (RFC 4862) of which the kernel takes no more, because it
// forwards and accept_ra is 1 (ip-sysctl of the kernel's documentation): their default routes are gone or end with
// their lifetime. `if_inet6` is the text of that file in /proc/net.
std::vector<std::string> deaf_to_routers(std::string const& if_inet6, std::string const& proc_sys);

}  // namespace doctor
