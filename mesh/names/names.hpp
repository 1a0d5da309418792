// The mesh's own names, out of the world: NODE.internal., NODE.SITE.internal. and SERVICE.internal. with A and AAAA,
// and the PTR records of the loopbacks, as zones for Navigator; and the same as a hosts file, for when no name server
// answers.
//
// "internal." stands for the topology's internal_domain (RFC 1035 master files, RFC 2317 not needed: reverse zones
// begin at the octet or nibble at or above the mesh's prefix). TTL and negative TTL are `ttl_s`. Machines of segments
// are not nodes of the mesh and have no name here, nor has a node that was removed or has not joined.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/world.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace names {

inline constexpr std::uint32_t ttl_s = 30;

struct Zone {
  std::string name;   // absolute
  std::string owner;  // the mailbox in its SOA, by which it is known as the mesh's
  std::string text;   // a master file, records in a fixed order: equal worlds give equal texts
};

// The forward zone, then the reverse ones; empty when the topology has no internal domain.
[[nodiscard]] std::vector<Zone> zones(plan::World const& world);

// Services that have no name of their own, because a node or a site is called so.
[[nodiscard]] std::vector<std::string> hidden_services(topology::Topology const& topology);

// One line an address: "10.200.0.1 ams-1.internal ams-1.ams.internal"; without the markers below.
[[nodiscard]] std::string hosts(plan::World const& world);

// `file` with everything between our two markers replaced by `lines`; they are put at the end when they are not there.
// Empty `lines` take the markers out, too. What stands around them is kept, octet by octet.
[[nodiscard]] std::string with_block(std::string_view file, std::string_view lines);
inline constexpr std::string_view block_begin = "# BEGIN privateer: the mesh's names, written by the agent\n";
inline constexpr std::string_view block_end = "# END privateer\n";

// "1.0.200.10.in-addr.arpa." and its like for IPv6 (RFC 3596).
[[nodiscard]] std::string reverse_name(topology::Address const& address);

}  // namespace names
