// One node's plan as files for people who deploy by their own tools: `wg-quick` configurations, bird.conf, nftables
// rules, sysctl settings, addresses of lo. Commented, the same bytes for the same plan, and made of the node's
// neighbourhood alone: a node that joins or leaves elsewhere changes none of them.
//
// There is no private key in them. A device's PostUp takes it from a file of the machine's own (wg-quick(8) names this
// way for keys that are kept apart), and the section of a peer whose public key is not known is commented out.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/plan.hpp"

#include <string>
#include <vector>

namespace plan {

struct File {
  std::string name;  // "wg-fra-1.conf"
  std::string text;
  bool operator==(File const&) const = default;
};

struct FileOptions {
  std::string private_key_file = "/etc/wireguard/privateer.key";
};

// By name. errc::unknown_node.
base::Result<std::vector<File>> files_of(Planner const& planner, std::string const& node, PlanOptions const& options,
                                         FileOptions const& file_options = {});

// The rules of one node: on mesh devices OSPF and BFD from that neighbour alone and sources of the mesh alone; nowhere
// else OSPF or BFD (but BFD of upstreams); nothing is forwarded between the mesh and other networks but what goes to a
// service, or through a segment's gateway between the segment and the services. Other traffic is left alone.
std::string nftables_text(topology::Topology const& around, topology::Allocation const& allocation,
                          NodePlan const& plan);

}  // namespace plan
