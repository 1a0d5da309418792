// bird.conf of one node as a pure function of the topology: same input, same bytes.
//
// What the text makes BIRD (2.0.12, Debian 12) do:
//  - OSPFv2 (RFC 2328) for IPv4 and OSPFv3 (RFC 5340) for IPv6, one instance each, `type ptp` on one block per
//    WireGuard device, BFD (RFC 5880) on each, the node's loopbacks announced by `stubnet`;
//  - accept from OSPF only what may be in the plan (any host address of the mesh prefixes, service addresses). While
//    the topology is one area, each only from the router it belongs to: an IPv4 loopback must be its originator's
//    router id, services and the IPv6 loopbacks of the controller's and the DNS stores' nodes are compared by name
//    (BIRD cannot compare other IPv6 addresses with a router id). Behind an area border the originator is not visible;
//  - know every area that the node is to border, also those without a link yet (BIRD restarts OSPF on a node that comes
//    from one area to several);
//  - write to the kernel only what was learned and belongs to the plan, with the node's loopback as source address, and
//    for each service announced here a blackhole: the address on `lo` is found first (table local), and if it is
//    missing there the packet is dropped instead of following a default route in a circle;
//  - one `protocol static anycast_<service>_<4|6>` per service of this node, disabled at start: enabling it announces
//    the service as an E1 external into OSPF and to every upstream, disabling it withdraws;
//  - eBGP with each upstream: services out, nothing in; BFD; RFC 9234 role customer.
//
// Threads: pure functions.
#pragma once

#include "topology/allocation.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bird {

// An OSPF interface of a link. A link whose key is being changed has two.
struct Interface {
  std::string name;
  std::uint32_t cost = 10;  // 65535: nobody's way as long as there is another
  bool operator==(Interface const&) const = default;
};
inline constexpr std::uint32_t cost_of_last_resort = 65535;
// Of a drained node's ordinary links: dearer than a repair link elsewhere (60000), and cheaper than its own repair
// links, which cost the last resort then, so that these still carry nothing as long as there is another way.
inline constexpr std::uint32_t cost_of_drained = 62500;

struct RenderSettings {
  std::string log_file;  // absolute path; empty: BIRD's stderr (BIRD must then run in the foreground, `bird -f`)
  // Services whose statics are rendered enabled. Leave it empty in the file that BIRD starts from, so that nothing is
  // announced before its first check. Name the announced ones in a file given to a running BIRD by `configure`:
  // a reconfiguration sets every protocol to what the file says and would otherwise withdraw them.
  std::set<std::string> announced;
  std::uint32_t kernel_metric = 32;    // of the routes BIRD writes; one value per machine and routing daemon
  std::uint32_t service_metric = 100;  // E1 metric of an announced service; the path's cost is added by OSPF
  // By link name. A link that is not here has one interface, of the name and cost that the topology gives it.
  std::map<std::string, std::vector<Interface>> interfaces = {};
  // A file, absolute, into which BFD writes of every session that comes or ends: who watches it can switch to
  // alternates before OSPF has noticed. BIRD must be able to make it. Empty: none.
  std::string session_log = {};
};

// `node` must be a node of `topology`, and `allocation` must hold every node and link of it (allocate() makes it so);
// anything else is a broken invariant.
std::string render(topology::Topology const& topology, topology::Allocation const& allocation, std::string const& node,
                   RenderSettings const& settings = {});

enum class Family { v4, v6 };

// "anycast_dns_4": the protocol to enable and disable for one address of a service.
std::string anycast_protocol(std::string_view service, Family family);

}  // namespace bird
