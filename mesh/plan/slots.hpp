// The two devices that a link may have: while the key of one end changes, the second is made with the new key beside
// the first, and then stays alone. Which is which at any time follows from how often the keys of both ends were
// changed.
//
// Threads: pure functions.
#pragma once

#include "topology/allocation.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace plan {

// Slot 0 is called and listens as the topology says. Slot 1 has a '~' at the end of its name, which no node's name has,
// and the second port (topology/room/second_port.hpp).
std::string device_name(topology::Link const& link, std::string_view node, unsigned slot);
std::uint16_t device_port(topology::Allocation const& allocation, topology::Link const& link, std::string_view node,
                          unsigned slot);

}  // namespace plan
