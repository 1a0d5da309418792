// Where a link's second WireGuard device listens: while the key of one end is changed, the next device runs beside the
// present one, and then stays alone, until the next change leads back.
//
// Threads: a pure function.
#pragma once

#include <cstdint>

namespace topology {

// More than a node has links, so that no port that was given by itself is a second one of another link. A firewall that
// lists ports needs both.
inline constexpr unsigned second_port_distance = 4096;

std::uint16_t second_port(std::uint16_t first);

}  // namespace topology
