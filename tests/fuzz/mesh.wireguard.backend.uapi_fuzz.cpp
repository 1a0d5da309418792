// Any bytes as wireguard-go's answer: never a crash, and what is accepted is within its limits.
#include "mesh/wireguard/backend/uapi.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(static_cast<char const*>(static_cast<void const*>(data)), size);
  wireguard::ObservedDevice device;
  if (wireguard::uapi::decode_get(text, device)) {
    ASSERT(device.peers.size() <= wireguard::uapi::peers_limit);
    for (auto const& one : device.peers) {
      ASSERT(one.peer.public_key.is_set());
    }
  }
  static_cast<void>(wireguard::uapi::decode_set(text));
  return 0;
}
