#include "mesh/plan/files.hpp"
#include "topology/room/second_port.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace plan {
namespace {

using topology::Address;
using Elements = std::vector<std::string>;

std::string set_text(std::string const& name, std::string const& type, Elements const& elements, bool interval) {
  std::string out = "  set " + name + " {\n    type " + type + "\n";
  out += interval ? "    flags interval\n" : "";
  if (!elements.empty()) {
    out += "    elements = {";
    for (std::size_t i = 0; i < elements.size(); ++i) {
      out += (i == 0 ? " " : ",\n      ") + elements[i];
    }
    out += " }\n";
  }
  return out + "  }\n";
}

Elements of_family(std::vector<topology::Service> const& services, bool v4) {
  Elements out;
  for (auto const& service : services) {
    for (auto const& address : service.addresses) {
      if (address.is_v4() == v4) {
        out.push_back(address.to_string());
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Rules {
 public:
  Rules(topology::Topology const& around, topology::Allocation const& allocation, NodePlan const& plan)
      : around_(around), allocation_(allocation), plan_(plan) {}

  std::string text() const { return head() + sets() + sources() + input() + forward() + "}\n"; }

 private:
  [[nodiscard]] std::string head() const {
    return fmt::format(
        "#!/usr/sbin/nft -f\n"
        "# Rules of {} in {}, in a table of their own; written by privateer. Check with: nft -c -f nftables.conf\n"
        "# What has nothing to do with the mesh passes untouched. WireGuard's own packets come in on the UDP ports\n"
        "# {};\n# let them through where another table drops by default: a link has both in turn, as keys change.\n"
        "table inet privateer\n"
        "delete table inet privateer\n\n"
        "table inet privateer {{\n",
        plan_.node, around_.name, ports());
  }

  [[nodiscard]] std::string ports() const {
    std::string out;
    for (auto const& link : around_.links_of(plan_.node)) {
      auto const first = topology::listen_port(allocation_, link, plan_.node);
      out += fmt::format("{}{} and {}", out.empty() ? "" : ", ", first, topology::second_port(first));
    }
    return out.empty() ? "(none)" : out;
  }

  // Its devices; the one it will have while its other end has not joined.
  [[nodiscard]] std::vector<std::string> names_of(topology::Link const& link) const {
    std::vector<std::string> out;
    for (auto const& device : plan_.devices) {
      if (device.alias == link.name()) {
        out.push_back(device.name);
      }
    }
    return out.empty() ? std::vector{topology::interface_name(link, plan_.node)} : out;
  }

  [[nodiscard]] std::string sets() const {
    Elements devices;
    Elements neighbours4;
    Elements neighbours6;
    for (auto const& link : around_.links) {
      auto const& other = link.a == plan_.node ? link.b : link.a;
      for (auto const& name : names_of(link)) {
        auto const device = "\"" + name + "\"";
        devices.push_back(device);
        neighbours4.push_back(device + " . " + topology::loopback4(around_, allocation_, other).to_string());
        neighbours6.push_back(device + " . " + topology::link_local(allocation_, link, other).to_string());
      }
    }
    auto const& mesh = around_.mesh;
    std::string out = "  # One device a link.\n" + set_text("links", "ifname", devices, false);
    out += "  # Who is at its other end, and so may speak OSPF and BFD there.\n";
    out += set_text("neighbours4", "ifname . ipv4_addr", neighbours4, false);
    out += set_text("neighbours6", "ifname . ipv6_addr", neighbours6, false);
    out += "  # Addresses of nodes, and of services.\n";
    out += set_text("mesh4", "ipv4_addr", {network(mesh.prefix4)}, true);
    out += set_text("mesh6", "ipv6_addr", {network(mesh.prefix6)}, true);
    out += set_text("services4", "ipv4_addr", of_family(around_.services, true), false);
    out += set_text("services6", "ipv6_addr", of_family(around_.services, false), false);
    return out + "\n";
  }

  template <class Network>
  static std::string network(Network const& of) {
    return of.network().to_string() + "/" + std::to_string(of.prefix_length());
  }

  static std::string both_ways(char const* family, std::string const& segment, char const* services) {
    return fmt::format("    {0} saddr {1} {0} daddr {2} accept\n    {0} saddr {2} {0} daddr {1} accept\n", family,
                       segment, services);
  }

  [[nodiscard]] std::string sources() const {
    return fmt::format(
        "  # What comes out of the mesh: from a node or a service, or from anywhere to a service; never from this\n"
        "  # node.\n"
        "  chain sources {{\n"
        "    type filter hook prerouting priority raw; policy accept;\n"
        "    iifname != @links accept\n"
        "    ip saddr {} counter drop\n"
        "    ip6 saddr {} counter drop\n"
        "    ip saddr @mesh4 accept\n"
        "    ip6 saddr @mesh6 accept\n"
        "    iifname . ip6 saddr @neighbours6 accept\n"
        "    ip saddr @services4 accept\n"
        "    ip6 saddr @services6 accept\n"
        "    ip daddr @services4 accept\n"
        "    ip6 daddr @services6 accept\n"
        "    counter drop\n"
        "  }}\n\n",
        topology::loopback4(around_, allocation_, plan_.node).to_string(),
        topology::loopback6(around_, allocation_, plan_.node).to_string());
  }

  [[nodiscard]] std::string input() const {
    std::string upstreams;
    if (auto const* const node = around_.node(plan_.node)) {
      for (auto const& upstream : node->upstreams) {
        upstreams += fmt::format("    {} saddr {} udp dport 3784 accept\n", upstream.neighbor.is_v4() ? "ip" : "ip6",
                                 upstream.neighbor.to_string());
      }
    }
    return "  # OSPF (protocol 89) and BFD (RFC 5881: from next door, so the hop count is whole) only from the "
           "neighbour\n"
           "  # at the other end of a link" +
           std::string(upstreams.empty() ? "" : " and, BFD, from the upstreams") +
           ". OSPF on other interfaces is not the mesh's; BFD's sockets are one\n"
           "  # for all of them.\n"
           "  chain routing {\n"
           "    type filter hook input priority filter; policy accept;\n"
           "    meta l4proto 89 iifname . ip saddr @neighbours4 accept\n"
           "    meta l4proto 89 iifname . ip6 saddr @neighbours6 accept\n"
           "    udp dport 3784 iifname . ip saddr @neighbours4 ip ttl 255 accept\n"
           "    udp dport 3784 iifname . ip6 saddr @neighbours6 ip6 hoplimit 255 accept\n" +
           upstreams +
           "    iifname @links meta l4proto 89 counter drop\n"
           "    udp dport { 3784, 3785 } counter drop\n"
           "  }\n\n";
  }

  [[nodiscard]] std::string forward() const {
    std::string segments;
    for (auto const& segment : around_.segments) {
      segments += "    # The segment " + segment.name + " meets the platform here: its services only.\n";
      if (segment.prefix4) {
        segments += both_ways("ip", network(*segment.prefix4), "@services4");
      }
      if (segment.prefix6) {
        segments += both_ways("ip6", network(*segment.prefix6), "@services6");
      }
    }
    return "  # From link to link between nodes and services; from outside into the mesh to services alone.\n"
           "  chain forward {\n"
           "    type filter hook forward priority filter; policy accept;\n"
           "    iifname @links jump mesh\n"
           "    oifname @links jump mesh\n"
           "  }\n"
           "  chain mesh {\n"
           "    oifname @links ip daddr @services4 accept\n"
           "    oifname @links ip6 daddr @services6 accept\n"
           "    iifname @links oifname @links ip daddr @mesh4 accept\n"
           "    iifname @links oifname @links ip6 daddr @mesh6 accept\n" +
           segments +
           "    counter drop\n"
           "  }\n";
  }

  topology::Topology const& around_;
  topology::Allocation const& allocation_;
  NodePlan const& plan_;
};

}  // namespace

std::string nftables_text(topology::Topology const& around, topology::Allocation const& allocation,
                          NodePlan const& plan) {
  return Rules(around, allocation, plan).text();
}

}  // namespace plan
