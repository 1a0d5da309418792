// What one node should be, as a pure function of the world: WireGuard devices, addresses, sysctls, BIRD's
// configuration and the anycast services it checks.
//
// One device a link (two peers inside one device cannot both be next hops of one prefix), AllowedIPs open in both
// families and no routes made from them: routing is OSPF's. A link whose other end has not joined yet is left out and
// listed in `waiting`. Nothing here is secret: the private key of every device is unset and filled in by the agent.
//
// Threads: pure functions over values.
#pragma once

#include "mesh/plan/world.hpp"
#include "mesh/wireguard/device.hpp"
#include "mesh/wireguard/diff.hpp"
#include "routing/bird/config.hpp"
#include "topology/neighbourhood/neighbourhood.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plan {

// A kernel setting below /proc/sys, with '/' between its parts: "net/ipv4/ip_forward".
struct Sysctl {
  std::string path;
  std::string value;
  bool required = true;  // false: a kernel without it does without
  bool operator==(Sysctl const&) const = default;
};

struct NodePlan {
  std::int64_t revision = 0;
  std::string node;
  std::vector<wireguard::Device> devices;             // by name
  std::vector<wireguard::Network> loopback;           // on lo: the node's own two and the anycast addresses it serves
  std::vector<Sysctl> sysctls;                        // in the order in which they are written
  std::string bird;                                   // the whole configuration file
  std::vector<topology::Service> services;            // anycast services this node serves
  std::vector<std::string> waiting;                   // names of links whose other node has no key yet
  std::vector<std::string> warnings;                  // sentences: "link a--b can never come up: ..."
  std::vector<std::string> areas;                     // OSPF areas it takes part in
  std::map<std::string, std::string> area_of_device;  // the area of each device's link
  // While the key of one end changes: device -> the one that takes over from it.
  std::map<std::string, std::string> successors = {};
  std::vector<wireguard::Network> mesh_prefixes = {};  // of loopbacks: no peer's endpoint ever lies in them
  std::set<std::string> with_next_key = {};            // devices whose private key is this node's next one
  std::string rules = {};                              // for nft(8), when asked for
  std::map<std::string, std::string> neighbors =
      {};  // device -> router id (IPv4 loopback) of the node at its other end
};

struct PlanOptions {
  bird::RenderSettings bird;
  // Plan every link, with an unset public key where the other node has not joined: for looking at a topology before
  // any node exists. Such devices cannot be applied.
  bool assume_joined = false;
  bool rules = false;  // the text for nft too
  // Devices whose traffic is to move to their successors: their links become the last resort.
  std::set<std::string> left = {};
};

// Plans one node after the other out of one world: what is looked up for all of them is looked up once. It must not
// outlive the world.
class Planner {
 public:
  explicit Planner(World const& world) : world_(world), neighbourhoods_(world.topology) {}

  // errc::unknown_node.
  [[nodiscard]] base::Result<NodePlan> node(std::string const& name, PlanOptions const& options = {}) const;

  [[nodiscard]] World const& world() const { return world_; }
  [[nodiscard]] topology::Neighbourhoods const& neighbourhoods() const { return neighbourhoods_; }

 private:
  World const& world_;
  topology::Neighbourhoods neighbourhoods_;
};

// One node alone. errc::unknown_node.
base::Result<NodePlan> plan_node(World const& world, std::string const& node, PlanOptions const& options = {});

// OSPF's cost of a link as the node at this end of it says it.
std::uint32_t cost_of(World const& world, topology::Link const& link, std::string const& node);

// Every name of an interface of ours begins with this; interfaces of other names are never touched.
inline constexpr std::string_view interface_prefix = "wg-";
inline constexpr std::uint16_t keepalive_behind_nat_s = 25;

// For people and programs (`privateer plan`): no private keys in either. An unset public key is null.
std::string to_json(NodePlan const& plan);
// {"revision":N,"nodes":[...]}
std::string to_json(std::vector<NodePlan> const& plans);
std::string to_text(NodePlan const& plan);
// The difference against what is there now, one sentence a line; "no changes\n" when there is none.
std::string to_text(std::vector<wireguard::Change> const& changes);

}  // namespace plan
