// Whether a machine still has the addresses at which the topology says that it is reached.
//
// Threads: `local_addresses` and `source_towards` block for the time of a few system calls; the rest is pure.
#pragma once

#include "mesh/wireguard/device.hpp"

#include <optional>
#include <vector>

namespace doctor {

// Of every interface of this machine, link-local ones left out. A failure is an errno code.
base::Result<std::vector<wireguard::Address>> local_addresses();
// The address that packets to `peer` leave with; nullopt: there is no way there.
std::optional<wireguard::Address> source_towards(wireguard::Address const& peer);

struct Drift {
  wireguard::Address declared;
  wireguard::Address used;  // what packets to the other nodes leave with instead
  bool operator==(Drift const&) const = default;
};
// The declared addresses that are none of this machine's, although packets of their family leave with another one.
// Behind a translator a public address is nobody's here, and a private one is what packets leave with (RFC 1918, RFC
// 6598, RFC 4193): that is said of none.
std::vector<Drift> drifts(std::vector<wireguard::Address> const& declared, std::vector<wireguard::Address> const& local,
                          std::vector<wireguard::Address> const& sources);

}  // namespace doctor
