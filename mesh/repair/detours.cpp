#include "mesh/repair/detours.hpp"

#include "routing/backup/alternates.hpp"
#include "routing/backup/areas.hpp"
#include "routing/bird/config.hpp"
#include "topology/graph.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace repair {
namespace {

using wireguard::Address;
using wireguard::Network;

// How a neighbour is sent to.
struct Hop {
  std::string device;
  Address gateway4;
  Address gateway6;
};

class Table {
 public:
  Table(plan::World const& world, plan::NodePlan const& plan) : world_(world), plan_(plan) {
    for (auto const& link : world.topology.links_of(plan.node)) {
      auto const& other = link.a == plan.node ? link.b : link.a;
      for (auto const& device : plan.devices) {
        if (device.alias == link.name()) {
          devices_[other].insert(device.name);
          if (!plan.successors.contains(device.name)) {
            hops_[other] = {device.name, topology::loopback4(world.topology, world.allocation, other),
                            topology::link_local(world.allocation, link, other)};
          }
        }
      }
    }
  }

  Detours run() {
    // Only what routing may use now: links whose other end has joined, and no way through a drained node.
    auto links = world_.topology.links;
    std::erase_if(links, [&](topology::Link const& link) {
      bool const absent = !world_.keys.contains(link.a) || !world_.keys.contains(link.b);
      bool const own = link.a == plan_.node || link.b == plan_.node;
      return absent || (!own && (drained(link.a) || drained(link.b)));
    });
    // A drained node's own ways are in the order of the costs that it tells. Its neighbours know the far cheaper costs
    // of their side; half the drained cost on each side promises no more of whom they send by than is so.
    for (auto& link : links) {
      if (drained(plan_.node) && (link.a == plan_.node || link.b == plan_.node)) {
        link.cost = plan::cost_of(world_, link, plan_.node) - bird::cost_of_drained / 2;
      }
    }
    if (world_.topology.areas.size() > 1) {
      backup::Areas areas(world_.topology, links, plan_.node);
      add_all([&](backup::Destination const& to) { return areas.protections(plan_.node, to); });
    } else {
      topology::Graph const graph(world_.topology.platform_nodes(), links);
      backup::Distances const distances(graph, plan_.node);
      add_all([&](backup::Destination const& to) { return backup::protections(distances, plan_.node, to); });
    }
    return std::move(out_);
  }

 private:
  template <class Protections>
  void add_all(Protections const& protections) {
    for (auto const& destination : backup::destinations(world_.topology)) {
      // One for each next hop of equal cost: the others are the way around it.
      std::vector<backup::Protection> const all = protections(destination);
      for (backup::Protection const& one : all) {
        if (one.alternate && !(drained(one.alternate->neighbor) && one.alternate->neighbor != destination.name)) {
          add(destination.name, one);
        }
      }
    }
  }

  [[nodiscard]] bool drained(std::string const& node) const { return world_.draining.contains(node); }

  [[nodiscard]] std::vector<Address> addresses(std::string const& destination) const {
    for (auto const& service : world_.topology.services) {
      if ("service:" + service.name == destination) {
        return service.addresses;
      }
    }
    return {topology::loopback4(world_.topology, world_.allocation, destination),
            topology::loopback6(world_.topology, world_.allocation, destination)};
  }

  void add(std::string const& destination, backup::Protection const& protection) {
    auto const hop = hops_.find(protection.alternate->neighbor);
    auto const lost = devices_.find(protection.primary);
    if (hop == hops_.end() || lost == devices_.end()) {
      return;
    }
    for (auto const& address : addresses(destination)) {
      bool const v4 = address.is_v4();
      Route route{Network{address, static_cast<std::uint8_t>(v4 ? 32 : 128)}, hop->second.device,
                  v4 ? hop->second.gateway4 : hop->second.gateway6,
                  v4 ? topology::loopback4(world_.topology, world_.allocation, plan_.node)
                     : topology::loopback6(world_.topology, world_.allocation, plan_.node)};
      for (auto const& device : lost->second) {
        out_.emplace(std::pair(device, route.destination), route);
      }
    }
  }

  plan::World const& world_;
  plan::NodePlan const& plan_;
  std::map<std::string, std::set<std::string>> devices_;  // of each neighbour
  std::map<std::string, Hop> hops_;
  Detours out_;
};

}  // namespace

bool ends(DetourInUse const& detour) {
  return detour.back || !detour.carries || (detour.moved_for && *detour.moved_for >= linger) || detour.age >= longest;
}

Detours detours_of(plan::World const& world, plan::NodePlan const& plan) {
  return Table(world, plan).run();
}

}  // namespace repair
