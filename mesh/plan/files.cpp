#include "mesh/plan/files.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace plan {
namespace {

std::string other_end(topology::Topology const& around, std::string const& node, std::string const& alias) {
  for (auto const& link : around.links) {
    if (link.name() == alias) {
      return link.a == node ? link.b : link.a;
    }
  }
  return alias;
}

std::string peer_text(wireguard::Peer const& peer, std::string const& name, FileOptions const& options) {
  std::string out = "[Peer]\n";
  if (peer.public_key.is_set()) {
    out += "PublicKey = " + peer.public_key.to_base64() + "\n";
  } else {
    out += "PublicKey = (on " + name + ": wg pubkey < " + options.private_key_file + ")\n";
  }
  out += "AllowedIPs = 0.0.0.0/0, ::/0\n";
  out += peer.endpoint ? "Endpoint = " + peer.endpoint->text() + "\n" : "";
  out += peer.keepalive_s != 0 ? "PersistentKeepalive = " + std::to_string(peer.keepalive_s) + "\n" : "";
  if (peer.public_key.is_set()) {
    return out;
  }
  std::string commented = "# The key of " + name + " is not known here: put it in and take the marks away.\n";
  for (std::size_t at = 0; at < out.size();) {
    auto const end = out.find('\n', at);
    commented += "# " + out.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return commented;
}

std::string device_text(topology::Topology const& around, std::string const& node, wireguard::Device const& device,
                        FileOptions const& options) {
  auto const name = other_end(around, node, device.alias);
  std::string addresses;
  for (auto const& address : device.addresses) {
    addresses += (addresses.empty() ? "" : ", ") + address.text();
  }
  std::string out = fmt::format(
      "# {0} in {1}: the link to {2}. Start it with: wg-quick up {3}\n"
      "# One device a link. AllowedIPs are open and no route is made of them (Table = off): BIRD decides what goes\n"
      "# here.\n"
      "[Interface]\n"
      "# The private key is this machine's own, in a file that only root reads: wg genkey > {4}\n"
      "PostUp = wg set %i private-key {4}\n"
      "ListenPort = {5}\n"
      "# Equal on both ends, or OSPF never comes up.\n"
      "MTU = {6}\n"
      "# The node's own IPv4 address on every device (unnumbered), and an fe80 address for OSPFv3.\n"
      "Address = {7}\n"
      "Table = off\n\n",
      node, around.name, name, device.name, options.private_key_file, device.listen_port, device.mtu, addresses);
  for (auto const& peer : device.peers) {
    if (!peer.endpoint) {
      out += "# " + name + " has no address to reach it at: it speaks first.\n";
    }
    out += peer_text(peer, name, options);
  }
  return out;
}

std::string sysctl_text(NodePlan const& plan) {
  std::string out =
      "# Kernel settings of a mesh node, for /etc/sysctl.d/90-privateer.conf. A neighbour's packets come from an\n"
      "# address that may be reached by another link, so the reverse-path filter is off on the mesh (nftables.conf\n"
      "# filters sources instead). A leading - marks what a kernel may do without.\n";
  for (auto const& sysctl : plan.sysctls) {
    out += (sysctl.required ? "" : "-") + sysctl.path + " = " + sysctl.value + "\n";
  }
  return out;
}

std::string loopback_text(NodePlan const& plan) {
  std::string out =
      "# Addresses of lo: the node's own two, and those of the services it serves. Apply with:\n"
      "#   ip -batch addresses.batch\n";
  for (auto const& address : plan.loopback) {
    out += "address replace " + address.text() + " dev lo\n";
  }
  return out;
}

}  // namespace

base::Result<std::vector<File>> files_of(Planner const& planner, std::string const& node, PlanOptions const& options,
                                         FileOptions const& file_options) {
  auto const plan = planner.node(node, options);
  if (!plan) {
    return plan.error();
  }
  auto const around = planner.neighbourhoods().of(node);
  std::vector<File> out;
  out.push_back({"bird.conf", plan->bird});
  out.push_back({"nftables.conf", nftables_text(around, planner.world().allocation, *plan)});
  out.push_back({"sysctl.conf", sysctl_text(*plan)});
  out.push_back({"addresses.batch", loopback_text(*plan)});
  for (auto const& device : plan->devices) {
    out.push_back({device.name + ".conf", device_text(around, node, device, file_options)});
  }
  std::sort(out.begin(), out.end(), [](File const& a, File const& b) { return a.name < b.name; });
  return out;
}

}  // namespace plan
