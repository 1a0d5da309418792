#include "topology/allocation.hpp"

#include "topology/draft.hpp"
#include "topology/values/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <vector>

namespace topology {

std::uint32_t largest_node_id(Mesh const& mesh) {
  auto const largest = [](unsigned bits, unsigned prefix_length) {
    unsigned const free_bits = std::min(bits - std::min(bits, prefix_length), 32U);
    return static_cast<std::uint32_t>((std::uint64_t{1} << free_bits) - 1 - (free_bits > 0 ? 1 : 0));
  };
  return std::min(largest(32, mesh.prefix4.prefix_length()), largest(128, mesh.prefix6.prefix_length()));
}

namespace {

// Boost's category has no virtual destructor; this one is a static object and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "topology"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::exhausted:
        return "no number is free";
      case errc::bad_file:
        return "not an allocation file";
      case errc::taken:
        return "the number belongs to another";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

template <class Number>
std::optional<Number> lowest_free(std::set<Number> const& taken, Number least, Number most) {
  Number candidate = least;
  for (auto it = taken.lower_bound(least); it != taken.end() && *it == candidate; ++it) {
    if (candidate == most) {
      return std::nullopt;
    }
    ++candidate;
  }
  return candidate <= most ? std::optional(candidate) : std::nullopt;
}

// What is gone is marked, what came back is in use again, and what was gone long enough is forgotten.
template <class Identity>
void bury_and_revive(std::map<std::string, Identity>& identities, std::set<std::string> const& wanted,
                     std::int64_t now_s) {
  for (auto it = identities.begin(); it != identities.end();) {
    auto& identity = it->second;
    if (wanted.contains(it->first)) {
      identity.removed_at = 0;
    } else if (identity.removed_at == 0) {
      identity.removed_at = std::max<std::int64_t>(now_s, 1);
    } else if (now_s - identity.removed_at >= quarantine_s) {
      it = identities.erase(it);
      continue;
    }
    ++it;
  }
}

// Ports in use on each node, by living and by buried links: a stale peer may still send to those.
std::map<std::string, std::set<std::uint16_t>> ports_by_node(Allocation const& allocation) {
  std::map<std::string, std::set<std::uint16_t>> out;
  for (auto const& [name, identity] : allocation.links) {
    auto const middle = name.find("--");
    out[name.substr(0, middle)].insert(identity.port_a);
    out[name.substr(middle + 2)].insert(identity.port_b);
  }
  return out;
}

std::string holder_of(Allocation const& allocation, std::uint32_t id) {
  for (auto const& [name, identity] : allocation.nodes) {
    if (identity.id == id) {
      return "node " + name + (identity.removed_at != 0 ? ", removed less than 30 days ago," : "");
    }
  }
  return "another";
}

// Ports that people fixed are moved to before any other is given out. A link keeps its port until then.
base::Result<void> fix_ports(Topology const& topology, Allocation& allocation,
                             std::map<std::string, std::set<std::uint16_t>>& ports) {
  for (auto const& link : topology.links) {
    auto const found = allocation.links.find(link.name());
    for (bool const first : {true, false}) {
      auto const wanted = first ? link.port_a : link.port_b;
      auto const& node = first ? link.a : link.b;
      std::uint16_t* own = found == allocation.links.end() ? nullptr
                           : first                         ? &found->second.port_a
                                                           : &found->second.port_b;
      if (wanted == 0 || (own != nullptr && *own == wanted)) {
        continue;
      }
      if (!ports[node].insert(wanted).second) {
        return base::fail(errc::taken, "link " + link.name() + " wants the port " + std::to_string(wanted) + " of " +
                                           node + ", where another link listens or did in the last 30 days");
      }
      if (own != nullptr) {
        ports[node].erase(*own);
        *own = wanted;
      }
    }
  }
  return {};
}

base::Result<void> allocate_nodes(Topology const& topology, Allocation& allocation) {
  std::uint32_t const most = largest_node_id(topology.mesh);
  std::set<std::uint32_t> taken;
  for (auto const& [name, identity] : allocation.nodes) {
    if (identity.removed_at == 0 && identity.id > most) {
      return base::fail(errc::exhausted, "node " + name + " has the id " + std::to_string(identity.id) +
                                             ", which the mesh prefixes have no room for");
    }
    taken.insert(identity.id);
  }
  std::set<std::string> names;
  for (auto const& node : topology.nodes) {
    names.insert(node.name);
    if (node.id == 0) {
      continue;
    }
    auto& own = allocation.nodes[node.name];
    if (own.id != node.id && !taken.insert(node.id).second) {
      return base::fail(errc::taken, "node " + node.name + " wants the id " + std::to_string(node.id) + ", which " +
                                         holder_of(allocation, node.id) + " has");
    }
    own.id = node.id;
  }
  std::uint32_t least = 1;  // everything below was found taken
  for (auto const& name : names) {
    if (allocation.nodes.contains(name)) {
      continue;
    }
    auto const id = lowest_free<std::uint32_t>(taken, least, most);
    if (!id) {
      return base::fail(errc::exhausted, "the mesh prefixes have no address left for node " + name);
    }
    taken.insert(*id);
    least = *id;
    allocation.nodes[name] = {*id, 0};
  }
  return {};
}

base::Result<void> allocate_links(Topology const& topology, Allocation& allocation) {
  std::set<std::uint32_t> taken;
  for (auto const& [name, identity] : allocation.links) {
    taken.insert(identity.id);
  }
  auto ports = ports_by_node(allocation);
  if (auto fixed = fix_ports(topology, allocation, ports); !fixed) {
    return fixed;
  }
  std::map<std::string, Link const*> links;
  for (auto const& link : topology.links) {
    links.emplace(link.name(), &link);
  }
  std::uint32_t least = 1;  // everything below was found taken
  for (auto& [name, identity] : allocation.links) {
    auto const found = links.find(name);
    identity.repair = found != links.end() && found->second->repair;
  }
  for (auto const& [name, link] : links) {
    if (allocation.links.contains(name)) {
      continue;
    }
    auto const id = lowest_free<std::uint32_t>(taken, least, 0xffffffffU);
    auto const port_of = [&](std::string const& node, std::uint16_t fixed) {
      return fixed != 0 ? std::optional(fixed)
                        : lowest_free<std::uint16_t>(ports[node], topology.mesh.port_base, 65535);
    };
    auto const port_a = port_of(link->a, link->port_a);
    auto const port_b = port_of(link->b, link->port_b);
    if (!id || !port_a || !port_b) {
      return base::fail(errc::exhausted,
                        "no UDP port from " + std::to_string(topology.mesh.port_base) + " up is left for link " + name);
    }
    taken.insert(*id);
    least = *id;
    ports[link->a].insert(*port_a);
    ports[link->b].insert(*port_b);
    allocation.links[name] = {*id, *port_a, *port_b, 0, link->repair};
  }
  return {};
}

// 32 bits of FNV-1a: stable over versions and machines, unlike std::hash.
std::uint32_t hash32(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (char const c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

std::uint32_t node_id(Allocation const& allocation, std::string_view node) {
  auto const found = allocation.nodes.find(std::string(node));
  ASSERT(found != allocation.nodes.end());
  return found->second.id;
}

LinkIdentity const& link_identity(Allocation const& allocation, Link const& link) {
  auto const found = allocation.links.find(link.name());
  ASSERT(found != allocation.links.end());
  return found->second;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

base::Result<Allocation> allocate(Topology const& topology, Allocation const& previous, std::int64_t now_s) {
  std::set<std::string> nodes;
  for (auto const& node : topology.nodes) {
    nodes.insert(node.name);
  }
  std::set<std::string> links;
  for (auto const& link : topology.links) {
    links.insert(link.name());
  }
  Allocation next = previous;
  bury_and_revive(next.nodes, nodes, now_s);
  bury_and_revive(next.links, links, now_s);
  if (auto const done = allocate_nodes(topology, next); !done) {
    return done.error();
  }
  if (auto const done = allocate_links(topology, next); !done) {
    return done.error();
  }
  return next;
}

Address loopback4(Topology const& topology, Allocation const& allocation, std::string_view node) {
  auto const base = topology.mesh.prefix4.network().to_uint();
  return boost::asio::ip::address_v4(base + node_id(allocation, node));
}

Address loopback6(Topology const& topology, Allocation const& allocation, std::string_view node) {
  auto bytes = topology.mesh.prefix6.network().to_bytes();
  auto const id = node_id(allocation, node);
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[15 - i] = static_cast<unsigned char>(bytes[15 - i] | ((id >> (8 * i)) & 0xffU));
  }
  return boost::asio::ip::address_v6(bytes);
}

Address link_local(Allocation const& allocation, Link const& link, std::string_view node) {
  ASSERT(node == link.a || node == link.b);
  auto const id = link_identity(allocation, link).id;
  boost::asio::ip::address_v6::bytes_type bytes{};
  bytes[0] = 0xfe;
  bytes[1] = 0x80;
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[13 - i] = static_cast<unsigned char>((id >> (8 * i)) & 0xffU);
  }
  bytes[15] = node == link.a ? 1 : 2;
  return boost::asio::ip::address_v6(bytes);
}

std::string interface_name(Link const& link, std::string_view node) {
  ASSERT(node == link.a || node == link.b);
  constexpr std::size_t longest = 15;  // IFNAMSIZ with its final zero is 16
  std::string const name = "wg-" + (node == link.a ? link.b : link.a);
  if (name.size() <= longest) {
    return name;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "wg-";
  auto const hash = hash32(link.name());
  for (unsigned shift = 32; shift > 0; shift -= 4) {
    out += digits[(hash >> (shift - 4)) & 0xfU];
  }
  return out;
}

std::uint16_t listen_port(Allocation const& allocation, Link const& link, std::string_view node) {
  ASSERT(node == link.a || node == link.b);
  auto const& identity = link_identity(allocation, link);
  return node == link.a ? identity.port_a : identity.port_b;
}

}  // namespace topology
