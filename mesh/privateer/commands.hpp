// The commands of the program, one function each. All return the exit code: 0 done, 1 it failed, 2 the input (settings,
// topology, arguments) is wrong; then every problem was printed to stderr.
//
// Threads: called from main, which has one thread.
#pragma once

#include "mesh/settings/settings.hpp"

#include <cstdint>
#include <string>

namespace privateer {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_bad_input = 2;

// Daemons, in the foreground until SIGTERM or SIGINT.
int run_agent(Settings const& settings);
int run_controller(Settings const& settings);

// Talks to the controller of `controller.url` once. `operator_name`: as an operator's machine instead of the node.
int join(Settings const& settings, std::string const& token, std::string const& operator_name);

// Over the controller's unix socket.
struct TokenInput {
  std::string node;  // what it is bound to; empty: not to that
  std::string role;
  std::string segment;
  std::string address;
  std::string purpose = "node";
  std::int64_t lifetime_s = 0;
  std::int64_t uses = 1;
};
int token_create(Settings const& settings, TokenInput const& input);
int token_list(Settings const& settings, bool json);
int token_revoke(Settings const& settings, std::string const& id);
int node_list(Settings const& settings, bool json);
int node_remove(Settings const& settings, std::string const& name);
int node_drain(Settings const& settings, std::string const& name, bool draining);
int rotate(Settings const& settings, std::string const& node);  // empty: every node, one after the other
int topology_set(Settings const& settings, std::string const& file);
// What every member is given; as JSON signed, as it travels (`plan --running` reads it).
int world_show(Settings const& settings, bool json);

// Look at this machine and the mesh, agent or not. doctor: exit code 1 when anything was found.
int doctor(Settings const& settings, bool json);
// Every node examines itself, asked by the controller, from any node or where the controller runs.
int doctor_all(Settings const& settings, bool json);
int graph(Settings const& settings, std::string const& format);  // "svg", "dot", "json"

// Over the agent's unix socket. Exit code 1 when the node is not in order.
int status(Settings const& settings, bool json);
// The same every second until SIGINT; as JSON a line each time.
int watch(Settings const& settings, bool json);

// Without any daemon: from the topology file (or what `topology` names), and what is known of the world that runs.
struct PlanInput {
  std::string topology;    // empty: settings.topology
  std::string allocation;  // file of identities; empty: those of the world that runs, else as a new controller's
  std::string running;     // file of the world that runs; empty: the newest that this machine's agent applied
  std::string keys;        // file of public keys, "NODE KEY" a line
  std::string node;        // empty: all of them
};
struct PlanOutput {
  bool json = false;
  bool whole = false;  // every node's plan instead of the difference against what runs
  std::string proof;   // file of the certificate, "-" for stdout (and then nothing else); empty: none
};
// Exit code 1 when a proof is asked for and there is none.
int plan(Settings const& settings, PlanInput const& input, PlanOutput const& output);
// What the agent would change now on this machine, from the last-known world; needs root.
int plan_difference(Settings const& settings, bool as_json);
// Exit code 1 when the certificate is refused. Against the topology, when there is one.
int verify_proof(Settings const& settings, PlanInput const& input, std::string const& certificate_file);
struct RenderOutput {
  std::string directory;         // empty: one of the node's name
  std::string private_key_file;  // where the machine keeps its key; empty: /etc/wireguard/privateer.key
};
int render(Settings const& settings, PlanInput const& input, RenderOutput const& output);
int check(Settings const& settings);

}  // namespace privateer
