#include "mesh/plan/plan.hpp"

#include "mesh/plan/files.hpp"
#include "mesh/plan/slots.hpp"

#include <algorithm>

namespace plan {
namespace {

using topology::Address;
using wireguard::Network;

Network whole(Address const& address) {
  return Network{address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 128)};
}

Address const* first_of(std::vector<Address> const& addresses, bool v4) {
  auto const found =
      std::find_if(addresses.begin(), addresses.end(), [&](Address const& address) { return address.is_v4() == v4; });
  return found == addresses.end() ? nullptr : &*found;
}

// A family that both ends have, IPv4 first (its outer header is 20 bytes shorter). A node that declares no address
// (behind NAT) may still reach either family.
std::optional<Address> endpoint_address(topology::Node const& own, topology::Node const& peer) {
  for (bool const v4 : {true, false}) {
    auto const* theirs = first_of(peer.underlay, v4);
    if (theirs != nullptr && (own.underlay.empty() || first_of(own.underlay, v4) != nullptr)) {
      return *theirs;
    }
  }
  return std::nullopt;
}

// `topology` is the node's neighbourhood or more.
class Builder {
 public:
  Builder(World const& world, topology::Topology const& topology, topology::Node const& node,
          PlanOptions const& options)
      : world_(world), topology_(topology), node_(node), options_(options) {}

  NodePlan run() {
    plan_.revision = world_.revision;
    plan_.node = node_.name;
    for (auto const& link : topology_.links_of(node_.name)) {
      add_link(link);
    }
    std::sort(plan_.devices.begin(), plan_.devices.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
    add_loopback();
    add_sysctls();
    plan_.areas = topology_.areas_of(node_.name);
    auto const& mesh = topology_.mesh;
    plan_.mesh_prefixes = {{mesh.prefix4.network(), static_cast<std::uint8_t>(mesh.prefix4.prefix_length())},
                           {mesh.prefix6.network(), static_cast<std::uint8_t>(mesh.prefix6.prefix_length())}};
    auto settings = options_.bird;
    settings.interfaces = std::move(interfaces_);
    plan_.bird = bird::render(topology_, world_.allocation, node_.name, settings);
    plan_.rules = options_.rules ? nftables_text(topology_, world_.allocation, plan_) : std::string();
    return std::move(plan_);
  }

 private:
  void add_link(topology::Link const& link) {
    auto const& other_name = link.a == node_.name ? link.b : link.a;
    auto const* other = topology_.node(other_name);
    ASSERT(other != nullptr);
    auto const key = world_.keys.find(other_name);
    if (key == world_.keys.end() && !options_.assume_joined) {
      plan_.waiting.push_back(link.name());
      return;
    }
    auto const peer_key = key == world_.keys.end() ? wireguard::PublicKey() : key->second;
    unsigned const slot = (generation(node_.name) + generation(other_name)) % 2;
    add_device(link, *other, peer_key, slot);
    auto const changing = who_changes(link);
    if (!changing.empty()) {
      auto const next = changing == other_name ? world_.next_keys.at(other_name) : peer_key;
      add_device(link, *other, next, 1 - slot);
      plan_.successors.emplace(device_name(link, node_.name, slot), device_name(link, node_.name, 1 - slot));
      if (changing == node_.name) {
        plan_.with_next_key.insert(device_name(link, node_.name, 1 - slot));
      }
    } else if (slot == 0 && !world_.draining.contains(node_.name)) {
      interfaces_.erase(link.name());  // as the topology says
    }
  }

  [[nodiscard]] std::uint32_t generation(std::string const& name) const {
    auto const found = world_.generations.find(name);
    return found == world_.generations.end() ? 0 : found->second;
  }

  // The end whose key is being changed: one at a time.
  [[nodiscard]] std::string who_changes(topology::Link const& link) const {
    for (auto const& end : {link.a, link.b}) {
      if (world_.next_keys.contains(end)) {
        return end;
      }
    }
    return {};
  }

  void add_device(topology::Link const& link, topology::Node const& other, wireguard::PublicKey const& key,
                  unsigned slot) {
    wireguard::Device device;
    device.name = device_name(link, node_.name, slot);
    device.alias = link.name();
    device.listen_port = device_port(world_.allocation, link, node_.name, slot);
    device.mtu = link.mtu;
    device.addresses.push_back(whole(topology::loopback4(topology_, world_.allocation, node_.name)));
    device.addresses.push_back(Network{topology::link_local(world_.allocation, link, node_.name), 64});
    device.peers.push_back(peer(link, other, key, slot));
    plan_.area_of_device.emplace(device.name, topology_.area_of(link));
    plan_.neighbors.emplace(device.name, topology::loopback4(topology_, world_.allocation, other.name).to_string());
    // Drained: others send through this node only what has no other way, and its own traffic goes as before (RFC 6987,
    // by costs, because BIRD changes those without touching an adjacency).
    bool const left = options_.left.contains(device.name);
    interfaces_[link.name()].push_back(
        {device.name, left ? bird::cost_of_last_resort : cost_of(world_, link, node_.name)});
    plan_.devices.push_back(std::move(device));
  }

  wireguard::Peer peer(topology::Link const& link, topology::Node const& other, wireguard::PublicKey const& key,
                       unsigned slot) {
    wireguard::Peer out;
    out.public_key = key;
    out.allowed_ips = {Network{boost::asio::ip::address_v4(), 0}, Network{boost::asio::ip::address_v6(), 0}};
    // Whoever has no address of its own must speak first, and keep the NAT's mapping open.
    out.keepalive_s = node_.underlay.empty() ? keepalive_behind_nat_s : 0;
    if (auto const address = endpoint_address(node_, other)) {
      out.endpoint = wireguard::Endpoint{*address, device_port(world_.allocation, link, other.name, slot)};
    } else if (node_.underlay.empty()) {
      plan_.warnings.push_back("link " + link.name() + " can never come up: neither node has an underlay address");
    } else if (!other.underlay.empty()) {
      plan_.warnings.push_back("link " + link.name() +
                               " can never come up: the underlay addresses of its nodes share no family");
    }
    return out;
  }

  void add_loopback() {
    plan_.loopback.push_back(whole(topology::loopback4(topology_, world_.allocation, node_.name)));
    plan_.loopback.push_back(whole(topology::loopback6(topology_, world_.allocation, node_.name)));
    for (auto const& service : topology_.services) {
      if (std::find(service.nodes.begin(), service.nodes.end(), node_.name) == service.nodes.end()) {
        continue;
      }
      plan_.services.push_back(service);
      for (auto const& address : service.addresses) {
        plan_.loopback.push_back(whole(address));
      }
    }
  }

  void add_sysctls() {
    plan_.sysctls.push_back({"net/ipv4/ip_forward", "1"});
    plan_.sysctls.push_back({"net/ipv6/conf/all/forwarding", "1"});
    // A neighbour's hello comes from its loopback, which is reached by no route yet, or by another link: both kinds of
    // reverse-path filter would drop it. The kernel takes the larger of "all" and the interface's own value.
    plan_.sysctls.push_back({"net/ipv4/conf/all/rp_filter", "0"});
    for (auto const& device : plan_.devices) {
      plan_.sysctls.push_back({"net/ipv4/conf/" + device.name + "/rp_filter", "0"});
    }
    // Equal-cost paths are chosen a flow, not a pair of addresses.
    plan_.sysctls.push_back({"net/ipv4/fib_multipath_hash_policy", "1", false});
    plan_.sysctls.push_back({"net/ipv6/fib_multipath_hash_policy", "1", false});
  }

  World const& world_;
  topology::Topology const& topology_;
  topology::Node const& node_;
  PlanOptions const& options_;
  NodePlan plan_;
  std::map<std::string, std::vector<bird::Interface>> interfaces_;
};

}  // namespace

std::uint32_t cost_of(World const& world, topology::Link const& link, std::string const& node) {
  auto const drained = link.repair ? bird::cost_of_last_resort : bird::cost_of_drained;
  return world.draining.contains(node) ? drained : link.cost;
}

base::Result<NodePlan> Planner::node(std::string const& name, PlanOptions const& options) const {
  auto const around = neighbourhoods_.of(name);
  auto const* const found = around.node(name);
  if (found == nullptr) {
    return base::fail(errc::unknown_node, "the topology has no node '" + name + "'");
  }
  return Builder(world_, around, *found, options).run();
}

base::Result<NodePlan> plan_node(World const& world, std::string const& node, PlanOptions const& options) {
  return Planner(world).node(node, options);
}

}  // namespace plan
