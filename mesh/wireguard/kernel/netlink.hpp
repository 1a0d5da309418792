// The kernel's WireGuard over generic netlink (linux/wireguard.h, family "wireguard", version 1).
//
// Messages are built and read here as plain bytes, so that their form is tested without a kernel that has WireGuard. A
// set that does not fit one message is split: key and port only in the first, a peer's flags only in the first message
// that names it. A dump comes in several messages and continues one peer over two of them: feed them all in order.
//
// Threads: pure functions; a KernelSocket belongs to one loop and blocks for the time of a system call.
#pragma once

#include "mesh/wireguard/configuration.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace wireguard::netlink {

using Bytes = std::vector<std::uint8_t>;

// Small enough for the kernel's receive path, large enough for some hundred peers.
inline constexpr std::size_t message_limit = 16 * 1024;

// Complete netlink messages (header included, sequence number 0). The first holds the private key when one is set:
// wipe it after use. `limit` is at least 1,024.
std::vector<Bytes> encode_set(Configuration const& configuration, std::uint16_t family,
                              std::size_t limit = message_limit);
Bytes encode_get(std::string const& device, std::uint16_t family);

// One message of a dump, appended to what earlier ones said. errc::bad_message.
base::Result<void> decode_get(std::span<std::uint8_t const> message, ObservedDevice& device);

class KernelSocket {
 public:
  // errc::not_supported when the kernel has no family "wireguard" (its module may load with the first device).
  static base::Result<KernelSocket> open();
  KernelSocket(KernelSocket&&) noexcept;
  KernelSocket& operator=(KernelSocket&&) noexcept;
  ~KernelSocket();

  base::Result<void> get(ObservedDevice& device);              // by device.name; errc::no_device, errc::rejected
  base::Result<void> set(Configuration const& configuration);  // errc::no_device, port_in_use, no_permission, rejected

 private:
  struct State;
  explicit KernelSocket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wireguard::netlink
