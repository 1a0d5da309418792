#include "mesh/names/names.hpp"

#include "topology/allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace names {
namespace {

using topology::Address;

struct Owner {
  std::string name;                  // relative to the internal domain
  std::vector<std::string> aliases;  // other names of the same
  std::vector<Address> addresses;
};

std::string without_dot(std::string const& name) {
  return name.substr(0, name.size() - 1);
}

// Nodes in the order of the topology (by name), then services. A node that was removed or never joined answers nobody.
std::vector<Owner> owners(plan::World const& world, bool with_services) {
  std::vector<Owner> out;
  for (auto const& node : world.topology.platform_nodes()) {
    if (!world.keys.contains(node.name)) {
      continue;
    }
    out.push_back({node.name,
                   {node.name + "." + node.site},
                   {topology::loopback4(world.topology, world.allocation, node.name),
                    topology::loopback6(world.topology, world.allocation, node.name)}});
  }
  if (!with_services) {
    return out;
  }
  auto const hidden = hidden_services(world.topology);
  for (auto const& service : world.topology.services) {
    if (std::find(hidden.begin(), hidden.end(), service.name) == hidden.end()) {
      out.push_back({service.name, {}, service.addresses});
    }
  }
  return out;
}

// Where the store is served: the primary first. Without a Navigator in the topology: the nodes of a DNS service.
std::vector<std::string> name_servers(topology::Topology const& topology) {
  std::vector<std::string> out;
  if (topology.navigator) {
    out.push_back(topology.navigator->primary);
    out.insert(out.end(), topology.navigator->replicas.begin(), topology.navigator->replicas.end());
    return out;
  }
  for (auto const& service : topology.services) {
    if (service.check == topology::MonitorType::dns) {
      return service.nodes;
    }
  }
  return out;
}

std::string mailbox(plan::World const& world) {
  return "hostmaster." + world.topology.internal_domain;
}

// The serial is the store's business: it raises what it serves.
std::string head(plan::World const& world) {
  std::string const& domain = world.topology.internal_domain;
  auto const servers = name_servers(world.topology);
  std::string const first = servers.empty() ? "ns" : servers.front();
  std::string out = fmt::format("$TTL {0}\n@ SOA {1}.{2} hostmaster.{2} 1 3600 600 604800 {0}\n", ttl_s, first, domain);
  for (auto const& server : servers) {
    out += fmt::format("@ NS {}.{}\n", server, domain);
  }
  return servers.empty() ? out + fmt::format("@ NS ns.{}\n", domain) : out;
}

std::string address_line(std::string const& name, Address const& address) {
  return fmt::format("{} {} {}\n", name, address.is_v4() ? "A" : "AAAA", address.to_string());
}

Zone forward(plan::World const& world) {
  std::string text = head(world);
  for (auto const& owner : owners(world, true)) {
    for (auto const& address : owner.addresses) {
      text += address_line(owner.name, address);
      for (auto const& alias : owner.aliases) {
        text += address_line(alias, address);
      }
    }
  }
  return {world.topology.internal_domain, mailbox(world), std::move(text)};
}

// The reverse name of the prefix, cut at the octet or nibble at or above its length.
std::string reverse_zone(Address const& network, unsigned length) {
  unsigned const unit = network.is_v4() ? 8 : 4;
  unsigned const labels = (network.is_v4() ? 32U : 128U) / unit - length / unit;
  std::string out = reverse_name(network);
  for (unsigned i = 0; i < labels; ++i) {
    out.erase(0, out.find('.') + 1);
  }
  return out;
}

Zone reverse(plan::World const& world, bool v4) {
  auto const& mesh = world.topology.mesh;
  std::string const name = v4 ? reverse_zone(mesh.prefix4.network(), mesh.prefix4.prefix_length())
                              : reverse_zone(mesh.prefix6.network(), mesh.prefix6.prefix_length());
  std::string text = head(world);
  for (auto const& owner : owners(world, false)) {
    for (auto const& address : owner.addresses) {
      if (address.is_v4() == v4) {
        text += fmt::format("{} PTR {}.{}\n", reverse_name(address), owner.name, world.topology.internal_domain);
      }
    }
  }
  return {name, mailbox(world), std::move(text)};
}

}  // namespace

std::string reverse_name(Address const& address) {
  std::string out;
  if (address.is_v4()) {
    auto const octets = address.to_v4().to_bytes();
    for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
      out += fmt::format("{}.", *octet);
    }
    return out + "in-addr.arpa.";
  }
  auto const octets = address.to_v6().to_bytes();
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
    out += fmt::format("{:x}.{:x}.", *octet & 0x0fU, *octet >> 4U);
  }
  return out + "ip6.arpa.";
}

std::vector<std::string> hidden_services(topology::Topology const& topology) {
  std::set<std::string> taken;
  for (auto const& node : topology.nodes) {
    taken.insert(node.name);
  }
  for (auto const& site : topology.sites) {
    taken.insert(site.name);
  }
  std::vector<std::string> out;
  for (auto const& service : topology.services) {
    if (taken.count(service.name) != 0) {
      out.push_back(service.name);
    }
  }
  return out;
}

std::vector<Zone> zones(plan::World const& world) {
  if (world.topology.internal_domain.empty()) {
    return {};
  }
  return {forward(world), reverse(world, true), reverse(world, false)};
}

std::string hosts(plan::World const& world) {
  std::string out;
  if (world.topology.internal_domain.empty()) {
    return out;
  }
  std::string const domain = without_dot(world.topology.internal_domain);
  for (auto const& owner : owners(world, true)) {
    for (auto const& address : owner.addresses) {
      out += fmt::format("{} {}.{}", address.to_string(), owner.name, domain);
      for (auto const& alias : owner.aliases) {
        out += fmt::format(" {}.{}", alias, domain);
      }
      out += '\n';
    }
  }
  return out;
}

std::string with_block(std::string_view file, std::string_view lines) {
  std::string out(file);
  // From the last beginning before an end: what stands after a beginning that was never ended is not ours.
  auto const end = out.find(block_end);
  auto const begin = end == std::string::npos ? end : out.rfind(block_begin, end);
  std::string const block =
      lines.empty() ? std::string() : std::string(block_begin) + std::string(lines) + std::string(block_end);
  if (begin != std::string::npos) {
    return out.replace(begin, end + block_end.size() - begin, block);
  }
  if (!block.empty() && !out.empty() && out.back() != '\n') {
    out += '\n';
  }
  return out + block;
}

}  // namespace names
