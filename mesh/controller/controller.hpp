// The controller: keeps the declared topology, the identities made from it and the members' public keys, lets machines
// join, and hands the world to every member that asks. It is needed to change the mesh, never to run it.
//
// HTTPS (nodes): GET|POST /v1/join (token), GET /v1/world?since=N&wait_ms=M, POST /v1/renew, /v1/report, /v1/rotation
// (certificate of the internal CA). Unix socket (operators): /v1/tokens, /v1/nodes, /v1/topology, /v1/status; who
// joined as an operator reads nodes and status over HTTPS too.
//
// State directory: controller.db, ca.key and ca.crt (or ca.crt and issuing.pem, where the root's key is kept elsewhere:
// mesh/internal_ca), controller.key, controller.crt, x25519.key, world.key (signs what nodes believe), mesh.name.
//
// Threads: one object on one loop; the database has its own thread.
#pragma once

#include "base/net/task.hpp"
#include "base/result/problem.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace controller {

struct ControllerSettings {
  std::string state;                // directory
  std::string topology_file;        // declared topology; read at a start unless PUT /v1/topology set another one since
  std::string listen;               // "0.0.0.0:18012"
  std::string unix_path;            // operators
  std::int64_t rotate_after_s = 0;  // nodes change their keys when these are so old; 0: only when asked
  bool root_elsewhere = false;      // no root is ever made here: internal_ca::RootKey
  std::int64_t cost_hold_s = 300;   // a latency must have held for so long before a cost follows it
};

class Controller {
 public:
  // Blocking work at start only. Failures: world_store::errc::bad_topology, a state directory that cannot be used,
  // net::errc::in_use.
  static base::Result<std::unique_ptr<Controller>> open(net::asio::any_io_executor executor,
                                                        ControllerSettings settings);
  ~Controller();
  Controller(Controller const&) = delete;
  Controller& operator=(Controller const&) = delete;

  // Closes listeners and long polls.
  void stop();

  [[nodiscard]] unsigned short port() const;  // of the HTTPS listener, also when `listen` left the choice to the system

  struct State;  // defined in state.hpp for the .cpp files of this module

 private:
  explicit Controller(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace controller
