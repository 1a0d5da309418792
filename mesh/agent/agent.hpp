// The node's agent: knows the newest world it may trust, and keeps the machine as that world says.
//
// Worlds come, in the order of a start, from the last-known snapshot, from the seed (a world document or the bare
// topology file), and from the controller; one of a lower revision than the one in use is ignored. Who this node is
// comes from its own key file alone. A world must be signed by the key that was pinned when the node joined; a change
// that costs the node its controller or a neighbour is taken back. The machine is looked at again every few seconds and
// after every change of an interface, and put right where it differs. Stopping the agent leaves devices, BIRD and
// routes as they are.
//
//        controller --world--> Follower --+
//   snapshot, seed ----------------------> Agent --plan_node--> Reconciler --> WireGuard, lo, sysctls, BIRD
//                                          |  '--services--> anycast::Announcer --> BIRD's statics
//                                          '-- status, metrics
//
// Threads: one object on one loop.
#pragma once

#include "base/http/http.hpp"
#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "mesh/agent/following/follower.hpp"
#include "mesh/agent/status.hpp"
#include "mesh/reconcile/bird_service.hpp"
#include "mesh/wireguard/backend/backend.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace agent {

struct AgentSettings {
  std::string node;
  std::string state_directory = "/var/lib/privateer";
  std::string seed_topology;   // a topology file; used only when nothing better is known; may be empty
  std::string controller_url;  // "https://198.51.100.10:18012"; empty: last-known and seed alone
  std::string controller_name = "controller";
  wireguard::BackendSettings wireguard;
  reconcile::BirdSettings bird;
  std::vector<std::string> nft;  // loads the rules; empty: the agent keeps none
  std::string session_log;  // written by BIRD, watched for links that die (mesh/repair); empty: OSPF alone reroutes
  std::function<void(plan::World const&)> in_use = [](plan::World const&) {};  // told of each world that is used here
  std::function<net::Task<std::string>()> examine =
      {};  // what is wrong here, when the controller asks (FollowerSettings)
  // Told of each look at the devices.
  std::function<void(std::vector<wireguard::ObservedDevice> const&)> looked =
      [](std::vector<wireguard::ObservedDevice> const&) {};
  std::function<RoundTrips()> round_trips = [] { return RoundTrips(); };  // what is measured over the links
  std::chrono::milliseconds look_interval{1500};  // what no event tells of: a peer, a file, a setting
};

class Agent {
 public:
  // `metrics` must outlive the agent.
  Agent(net::asio::any_io_executor executor, AgentSettings settings, process::Metrics& metrics);
  ~Agent();
  Agent(Agent const&) = delete;
  Agent& operator=(Agent const&) = delete;

  // Runs until stop(). Fails at once with errc::not_joined, wireguard::errc::no_permission / no_tun / not_supported,
  // or when another agent holds the state directory.
  net::Task<base::Result<void>> run();
  void stop();

  [[nodiscard]] Status status() const;

  // A part of the status that another module knows (the edge's): its JSON is asked for at each request.
  void add_section(std::string name, std::function<std::string()> json);

  // GET /v1/status, /v1/world, /metrics, /healthz. The router must not be used after the agent is gone.
  void add_routes(net::Router& router);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace agent
