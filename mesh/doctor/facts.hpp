// What is known of one node at one moment: the plan it should follow, what its kernel, WireGuard and BIRD say, and what
// probes over its links brought back. Everything the doctor decides from, and nothing else.
//
// Threads: plain values.
#pragma once

#include "mesh/doctor/echoes/echo.hpp"
#include "mesh/plan/plan.hpp"
#include "mesh/wireguard/device.hpp"
#include "routing/bird/state.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doctor {

// Where the kernel would send WireGuard's own packets for the peer of a device.
struct EndpointRoute {
  std::string device;
  wireguard::Endpoint endpoint;
  std::string interface;  // empty: no route
};

// What both ends of an adjacency say the link costs, out of the link-state database.
struct LinkCost {
  std::string protocol;              // "ospf4", "ospf6"
  std::string router_id;             // the other end's
  std::vector<std::uint32_t> own;    // of each link to it, ascending
  std::vector<std::uint32_t> other;  // of each link from it to here, ascending
};

// How a sentence of `Facts::blind` begins that is about BIRD.
inline constexpr std::string_view blind_bird = "BIRD: ";

struct ControllerFacts {
  std::string url;  // empty: none is configured
  bool connected = false;
  std::int64_t last_answer_s = 0;  // Unix time; 0: never
  std::string failure;
  std::int64_t certificate_until_s = 0;                // Unix time; 0: no certificate
  std::optional<std::int64_t> clock_ahead_s;           // this node's clock against the controller's
  std::int64_t issuer_from_s = 0, issuer_until_s = 0;  // of what issued it; 0: not known
  std::string renewal_failure = {};                    // why the last try to get the next certificate failed
  std::vector<std::string> twins = {};                 // where it hears others who have this node's credential
  bool behind = false;                                 // it knows nothing of what this node has seen
};

struct Facts {
  std::int64_t now_s = 0;  // Unix time
  std::string node;
  std::shared_ptr<plan::NodePlan const> plan;              // null: no world yet
  std::map<std::string, std::string> peer_of_device;       // device -> name of the node at its other end
  std::map<std::string, std::string> router_id_of_device;  // device -> that node's router id
  std::map<std::string, std::string> only_border_of_area;  // area of this node -> who alone joins it to the backbone
  std::map<std::string, wireguard::Address> echo_target;   // device -> link-local address of the other end
  std::vector<wireguard::Address> own_underlay;            // where the topology says that others reach this node
  std::map<std::string, std::vector<wireguard::Address>> declared_of_device;  // device -> the same of its other end

  std::vector<std::string> blind;  // what could not be seen, a sentence each: nothing is concluded from it
  bool devices_seen = true;        // false: `devices` says nothing
  std::vector<wireguard::ObservedDevice> devices;  // of our prefix; keys wiped
  std::vector<wireguard::Network> loopback;        // on lo
  bool loopback_known = false;
  std::map<std::string, std::string> sysctls;  // path -> value; a missing one does not exist here
  std::vector<std::string> deaf_to_routers;    // interfaces whose addresses routers advertised, and who listen no more
  std::string backend;                         // "kernel" or "wireguard-go"
  bool kernel_has_wireguard = false;
  std::vector<EndpointRoute> endpoint_routes;
  std::vector<wireguard::Address> local_addresses;           // of this machine; empty: not known
  std::vector<wireguard::Address> sources;                   // which of them packets to other nodes leave with
  std::map<std::string, std::vector<std::string>> flapping;  // device -> where its peer's packets come from in turns
  std::vector<LinkProbe> probes;
  std::map<std::string, int> loss_percent;  // device -> of the agent's own echoes of the last minute

  bool bird_running = false;
  std::vector<bird::Neighbor> neighbors;
  std::vector<bird::BfdSession> bfd;
  std::vector<LinkCost> costs;
  std::map<std::string, std::string> silent_services;  // anycast service not announced here -> why

  bool agent_running = false;
  std::string agent_failure;              // why its socket did not answer
  std::int64_t agent_revision = -1;       // of the world it goes by, which may be newer than the one kept on disk
  std::int64_t kept_revision = -1;        // of the one kept on disk; -1: there is none
  std::int64_t taken_back_revision = -1;  // a newer world that cost this node something; -1: none
  std::string taken_back_missing;         // what it cost
  std::vector<std::string> limits;        // settings that its user may not do
  ControllerFacts controller;
  std::int64_t snapshot_s = 0;                  // when the newest intact snapshot was written; 0: there is none
  std::vector<std::string> damaged_snapshots;   // a sentence each
  std::uint64_t state_free_bytes = UINT64_MAX;  // of the file system that holds the state directory
  std::vector<std::string> failures;            // of the agent's last pass

  void take_world(Facts of);  // what facts_of() made of another world, instead of what is known of this one
};

// What a world wants of a node, as facts: the plan, and who is at the other end of each of its links.
// plan::errc::unknown_node.
base::Result<Facts> facts_of(plan::World const& world, std::string const& node);

// Adds what the agent says of itself (GET /v1/status on its socket): controller, services, failures. A text that is not
// its status changes nothing and gives false.
bool add_agent_status(Facts& facts, std::string_view json);

// The costs of every link of `own_router_id` at both of its ends.
std::vector<LinkCost> link_costs(bird::OspfState const& state, std::string const& protocol,
                                 std::string const& own_router_id);

}  // namespace doctor
