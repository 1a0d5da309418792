// ICMPv6 echoes (RFC 4443, 4) to link-local addresses: the messages, and a socket that hears replies alone.
//
// Threads: pure functions; open_echo_socket makes a socket for one loop.
#pragma once

#include "base/result/result.hpp"
#include "mesh/wireguard/device.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace round_trips {

// The message: type 128, `identifier`, `sequence`, filled up to `size` octets with the 40 of the IP header. Pure.
std::vector<std::uint8_t> echo_message(std::uint16_t identifier, std::uint16_t sequence, std::uint32_t size);
// The sequence of a reply (type 129) to `identifier`; -1 for anything else. Pure; any octets.
int reply_sequence(std::span<std::uint8_t const> message, std::uint16_t identifier);

// Not blocking; everything but replies is filtered out, and nothing is cut into fragments. Where the kernel allows no
// raw socket (CAP_NET_RAW): its failure. The caller closes it.
base::Result<int> open_echo_socket();
// Over the device of this index. A packet that the kernel does not take is one that is not answered.
void send_echo(int descriptor, wireguard::Address const& to, unsigned index, std::span<std::uint8_t const> message);

}  // namespace round_trips
