#include "routing/bird/config.hpp"

#include "base/result/result.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace bird {

namespace {

using topology::Address;
using topology::Allocation;
using topology::Link;
using topology::Node;
using topology::Service;
using topology::Topology;

// What differs between the two address families, so that each section is written once.
struct Words {
  Family family;
  char const* digit;    // suffix of names: LOOPBACK4, kernel4, ospf4
  char const* channel;  // "ipv4"
  char const* ospf;     // "v2"
  int host_bits;        // length of a host prefix
};
constexpr Words words4{Family::v4, "4", "ipv4", "v2", 32};
constexpr Words words6{Family::v6, "6", "ipv6", "v3", 128};

Address loopback(Topology const& topology, Allocation const& allocation, std::string const& node, Words const& words) {
  return words.family == Family::v4 ? topology::loopback4(topology, allocation, node)
                                    : topology::loopback6(topology, allocation, node);
}

bool of_family(Address const& address, Words const& words) {
  return address.is_v4() == (words.family == Family::v4);
}

bool serves(Service const& service, std::string const& node) {
  return std::find(service.nodes.begin(), service.nodes.end(), node) != service.nodes.end();
}

struct OwnService {
  std::string name;
  Address address;
};

std::vector<OwnService> own_services(Topology const& topology, std::string const& node, Words const& words) {
  std::vector<OwnService> own;
  for (auto const& service : topology.services) {
    for (auto const& address : service.addresses) {
      if (serves(service, node) && of_family(address, words)) {
        own.push_back({service.name, address});
      }
    }
  }
  return own;
}

// Whether everybody sees who originated what: behind an area border the originator is the border router.
bool one_area(Topology const& topology) {
  if (topology.areas.size() > 1 || topology.nodes.empty()) {
    return false;
  }
  auto const& area = topology.nodes.front().area;
  return std::all_of(topology.nodes.begin(), topology.nodes.end(), [&](Node const& node) { return node.area == area; });
}

std::string head(Topology const& topology, Allocation const& allocation, Node const& node,
                 RenderSettings const& settings) {
  // A file is begun anew when it is full: a link that comes and goes for months must not fill the disk.
  std::string const log =
      settings.log_file.empty()
          ? "stderr all"
          : fmt::format("\"{0}\" 1000000 \"{0}.old\" {{ info, remote, warning, error, auth, fatal, bug }}",
                        settings.log_file);
  // Small, and begun anew when it is full: nobody reads what it says, only that it says something.
  std::string const sessions = settings.session_log.empty()
                                   ? ""
                                   : fmt::format("log \"{0}\" 100000 \"{0}.old\" {{ trace }};\n", settings.session_log);
  return fmt::format(
      "# BIRD on {} in {}. Written by privateer: changes made here are overwritten.\n"
      "# OSPF routes the mesh, one device a link; BFD notices a dead link; services are announced while they work.\n"
      "log {};\n{}"
      "timeformat log iso long ms;\n"
      "router id {};\n\n"
      "# This node's own addresses: it is reached, and speaks, under them.\n"
      "define LOOPBACK4 = {};\n"
      "define LOOPBACK6 = {};\n\n"
      "protocol device {{\n  scan time 10;\n}}\n\n",
      node.name, topology.name, log, sessions, topology::loopback4(topology, allocation, node.name).to_string(),
      topology::loopback4(topology, allocation, node.name).to_string(),
      topology::loopback6(topology, allocation, node.name).to_string());
}

// The nodes that others must find under their own address: where the controller and the DNS stores are.
std::set<std::string> relied_upon(Topology const& topology) {
  std::set<std::string> out;
  if (topology.controller) {
    out.insert(topology.controller->node);
  }
  if (topology.navigator) {
    out.insert(topology.navigator->primary);
    out.insert(topology.navigator->replicas.begin(), topology.navigator->replicas.end());
  }
  return out;
}

// Node addresses as a range, so that a node that joins changes nobody's file but its neighbours'. The originator is
// compared where OSPF shows it: a router id is the node's IPv4 address, so there one comparison does it for all. BIRD
// cannot compare it with an IPv6 address; there the nodes that everybody relies upon are bound by name.
std::string loopback_lines(Topology const& topology, Allocation const& allocation, Words const& words, bool bind) {
  bool const v4 = words.family == Family::v4;
  std::string const prefix =
      v4 ? fmt::format("{}/{}", topology.mesh.prefix4.network().to_string(), topology.mesh.prefix4.prefix_length())
         : fmt::format("{}/{}", topology.mesh.prefix6.network().to_string(), topology.mesh.prefix6.prefix_length());
  std::string out;
  if (bind && !v4) {
    for (auto const& node : relied_upon(topology)) {
      out += fmt::format("  if net = {}/{} then return ospf_router_id = {};\n",
                         loopback(topology, allocation, node, words).to_string(), words.host_bits,
                         topology::loopback4(topology, allocation, node).to_string());
    }
  }
  return out + fmt::format("  if net ~ [ {}{{{},{}}} ] then return {};\n", prefix, words.host_bits, words.host_bits,
                           bind && v4 ? "ospf_router_id = net.ip" : "true");
}

std::string plan_function(Topology const& topology, Allocation const& allocation, Words const& words) {
  bool const bind_origin = one_area(topology);
  std::string out = "# What may be learned: addresses of nodes and of services";
  out += !bind_origin                 ? ".\n"
         : words.family == Family::v4 ? ", each only from the node that it belongs to.\n"
                                      : "; of services, and of what all rely upon, only from where they are.\n";
  out += fmt::format("function of_plan{}() {{\n", words.digit);
  out += loopback_lines(topology, allocation, words, bind_origin);
  for (auto const& service : topology.services) {
    for (auto const& address : service.addresses) {
      if (!of_family(address, words)) {
        continue;
      }
      std::string origins;
      for (auto const& node : service.nodes) {
        origins += fmt::format("{}ospf_router_id = {}", origins.empty() ? "" : " || ",
                               topology::loopback4(topology, allocation, node).to_string());
      }
      out += fmt::format("  if net = {}/{} then return {};\n", address.to_string(), words.host_bits,
                         bind_origin && !origins.empty() ? origins : "true");
    }
  }
  return out + "  return false;\n}\n\n";
}

// The statics of this node's services, and the set that the export filters name.
std::string services(std::vector<OwnService> const& own, RenderSettings const& settings, Words const& words) {
  std::string set;
  std::string protocols;
  for (auto const& service : own) {
    std::string const prefix = fmt::format("{}/{}", service.address.to_string(), words.host_bits);
    set += (set.empty() ? "" : ", ") + prefix;
    protocols += fmt::format("protocol static {} {{\n{}  {};\n  route {} blackhole;\n}}\n\n",
                             anycast_protocol(service.name, words.family),
                             settings.announced.contains(service.name) ? "" : "  disabled;\n", words.channel, prefix);
  }
  if (own.empty()) {
    return "";
  }
  return fmt::format(
      "# Services of this node: enabled means announced. The agent enables each while its check succeeds.\n"
      "define SERVED{} = [ {} ];\n\n{}",
      words.digit, set, protocols);
}

std::string kernel(bool serves_any, RenderSettings const& settings, Words const& words) {
  std::string const guard =
      serves_any ? fmt::format("      if source = RTS_STATIC && net ~ SERVED{} then accept;\n", words.digit) : "";
  return fmt::format(
      "# Routes of the mesh go to the kernel with this node's address as source; they outlive BIRD.\n"
      "protocol kernel kernel{0} {{\n"
      "  persist;\n"
      "  scan time 2;  # a route that somebody deleted is back by then\n"
      "  metric {1};\n"
      "  {2} {{\n"
      "    import none;\n"
      "    export filter {{\n"
      "{3}"
      "      if source ~ [ RTS_OSPF, RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2 ] && ifname != \"lo\" then {{\n"
      "        krt_prefsrc = LOOPBACK{0};\n"
      "        accept;\n"
      "      }}\n"
      "      reject;\n"
      "    }};\n"
      "  }};\n"
      "}}\n\n",
      words.digit, settings.kernel_metric, words.channel, guard);
}

std::string interface_block(Topology const& topology, Link const& link, Interface const& interface) {
  return fmt::format(
      "    interface \"{}\" {{  # {}\n"
      "      type ptp;\n"
      "      cost {};\n"
      "      hello {};\n"
      "      dead {};\n"
      "      retransmit 2;\n"
      "      bfd yes;\n"
      "    }};\n",
      interface.name, link.name(), interface.cost, topology.mesh.ospf.hello_s, topology.mesh.ospf.dead_s);
}

std::vector<Interface> interfaces_of(Link const& link, std::string const& node, RenderSettings const& settings) {
  auto const found = settings.interfaces.find(link.name());
  return found != settings.interfaces.end() ? found->second
                                            : std::vector<Interface>{{topology::interface_name(link, node), link.cost}};
}

std::string ospf(Topology const& topology, Allocation const& allocation, Node const& node, bool serves_any,
                 RenderSettings const& settings, Words const& words) {
  std::map<std::string, std::string> areas;
  areas[node.area] = fmt::format("    stubnet {}/{} {{\n      cost 1;\n    }};\n",
                                 loopback(topology, allocation, node.name, words).to_string(), words.host_bits);
  for (auto const& link : topology.links_of(node.name)) {
    for (auto const& interface : interfaces_of(link, node.name, settings)) {
      areas[topology.area_of(link)] += interface_block(topology, link, interface);
    }
  }
  for (auto const& area : node.border_areas) {
    areas.emplace(area, "    # Without a link as yet: coming from one area to several would restart OSPF.\n");
  }
  std::string const exported = serves_any ? fmt::format(
                                                "    export filter {{\n"
                                                "      if source = RTS_STATIC && net ~ SERVED{} then {{\n"
                                                "        ospf_metric1 = {};\n"
                                                "        accept;\n"
                                                "      }}\n"
                                                "      reject;\n"
                                                "    }};\n",
                                                words.digit, settings.service_metric)
                                          : "    export none;\n";
  std::string out = fmt::format(
      "# OSPF{0}: {2} inside the mesh.\n"
      "protocol ospf {0} ospf{1} {{\n"
      "  ecmp yes limit 16;\n"
      "  {2} {{\n"
      "    import where of_plan{1}();\n"
      "{3}"
      "  }};\n",
      words.ospf, words.digit, words.channel, exported);
  for (auto const& [area, body] : areas) {
    out += fmt::format("  area {} {{\n{}  }};\n", area, body);
  }
  return out + "}\n\n";
}

// Sessions are made on demand, by OSPF on the mesh devices and by BGP on the others, so one block serves both. Fast
// idle packets bring a session up soon after its adjacency.
std::string bfd(topology::Bfd const& bfd, bool log_sessions) {
  return fmt::format(
      "# A link that falls silent is noticed after interval * multiplier.\n"
      "protocol bfd bfd1 {{\n"
      "{}"
      "  accept direct;\n"
      "  interface \"*\" {{\n"
      "    interval {} ms;\n"
      "    idle tx interval {} ms;\n"
      "    multiplier {};\n"
      "  }};\n"
      "}}\n\n",
      log_sessions ? "  debug { states, events };  # so that the agent learns at once of a session that ends\n" : "",
      bfd.interval_ms, std::max<std::uint32_t>(300, bfd.interval_ms), bfd.multiplier);
}

// The waits are short because the session's end is noticed by BFD: with BGP's own defaults a site would come back a
// minute after its uplink did.
std::string upstream(topology::Upstream const& upstream, std::size_t number, bool serves_any, Words const& words) {
  return fmt::format(
      "# Services out, nothing in.\n"
      "protocol bgp upstream_{} {{\n"
      "  local as {};\n"
      "  neighbor {} as {};\n"
      "  local role customer;\n"
      "  bfd yes;\n"
      "  connect delay time 1;\n"
      "  connect retry time 5;\n"
      "  error wait time 1, 30;\n"
      "  {} {{\n"
      "    import none;\n"
      "    export {};\n"
      "  }};\n"
      "}}\n\n",
      number, upstream.local_asn, upstream.neighbor.to_string(), upstream.neighbor_asn, words.channel,
      serves_any ? fmt::format("where source = RTS_STATIC && net ~ SERVED{}", words.digit) : "none");
}

}  // namespace

std::string anycast_protocol(std::string_view service, Family family) {
  std::string name = "anycast_" + std::string(service) + (family == Family::v4 ? "_4" : "_6");
  std::replace(name.begin(), name.end(), '-', '_');  // a DNS label has no underscore, so names stay different
  return name;
}

std::string render(Topology const& topology, Allocation const& allocation, std::string const& node_name,
                   RenderSettings const& settings) {
  Node const* node = topology.node(node_name);
  ASSERT(node != nullptr);
  std::string out = head(topology, allocation, *node, settings);
  std::map<Family, bool> serves_any;
  for (auto const& words : {words4, words6}) {
    auto const own = own_services(topology, node_name, words);
    serves_any[words.family] = !own.empty();
    out += plan_function(topology, allocation, words);
    out += services(own, settings, words);
    out += kernel(!own.empty(), settings, words);
  }
  for (auto const& words : {words4, words6}) {
    out += ospf(topology, allocation, *node, serves_any[words.family], settings, words);
  }
  out += bfd(topology.mesh.bfd, !settings.session_log.empty());
  std::size_t number = 0;
  for (auto const& each : node->upstreams) {
    auto const& words = each.neighbor.is_v4() ? words4 : words6;
    out += upstream(each, ++number, serves_any[words.family], words);
  }
  out.pop_back();  // the empty line after the last block
  return out;
}

}  // namespace bird
