// Any bytes as a netlink message of the kernel's WireGuard.
#include "mesh/wireguard/kernel/netlink.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  // Netlink buffers are aligned; the fuzzer's are not.
  wireguard::netlink::Bytes const message(data, data + size);
  wireguard::ObservedDevice device;
  if (wireguard::netlink::decode_get(message, device)) {
    for (auto const& one : device.peers) {
      ASSERT(one.peer.public_key.is_set());
    }
  }
  return 0;
}
