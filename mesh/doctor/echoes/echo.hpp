// Echoes over single links, small and of full size: whether a link carries what its MTU promises, and how long it
// takes.
//
// ICMPv6 (RFC 4443) to the link-local address of the other end, which no route can lead elsewhere. Six small ones go to
// every link within a fifth of a second, so that loss is seen, and one of full size until one came back, so that loss
// is not taken for a narrow path; once more what is missing at half of the deadline.
//
// Threads: one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/wireguard/device.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace doctor {

// Echoes over one device to the other end's link-local address.
struct LinkProbe {
  std::string device;
  std::uint32_t size = 0;  // octets of the full-size packet, IP header included: the device's MTU
  bool small_answered = false;
  bool full_answered = false;        // means nothing unless small_answered
  std::chrono::microseconds rtt{0};  // of the first small one that came back
  unsigned small_lost = 0;           // of echo_tries
};

struct EchoTarget {
  std::string device;
  unsigned index = 0;  // of the device
  wireguard::Address address;
  std::uint32_t mtu = 0;
};

inline constexpr std::size_t echo_targets_limit = 2048;
inline constexpr std::size_t echo_tries = 6;

// One for each target (the first 2,048), in order. Where the kernel allows no raw socket (CAP_NET_RAW): the failure.
net::Task<base::Result<std::vector<LinkProbe>>> echo(std::vector<EchoTarget> targets,
                                                     std::chrono::milliseconds deadline);

}  // namespace doctor
