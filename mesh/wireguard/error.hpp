// What can go wrong between wanted and real WireGuard devices.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace wireguard {

enum class errc {
  bad_key = 1,    // not 32 bytes of strict base64 or hex, or a point of small order
  bad_message,    // the kernel or a wireguard-go answered something that is not the protocol
  not_supported,  // this kernel has no WireGuard
  no_permission,  // CAP_NET_ADMIN is missing
  no_tun,         // /dev/net/tun is missing, so wireguard-go cannot work
  no_program,     // the wireguard-go program was not found or did not start
  port_in_use,    // another socket holds the UDP port of the device
  no_device,      // there is no such interface
  foreign,        // an interface of this name exists and is not ours
  rejected,       // the kernel or wireguard-go refused the change
  unreachable,    // the control socket of a wireguard-go does not answer
};
boost::system::error_code make_error_code(errc code);

}  // namespace wireguard

template <>
struct boost::system::is_error_code_enum<wireguard::errc> : std::true_type {};
