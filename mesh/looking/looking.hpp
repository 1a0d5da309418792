// Looks at the mesh from this machine and changes nothing: what `privateer doctor` and `privateer graph` do. They need
// no agent; where one runs, it is asked for what only it knows.
//
// Threads: known_world() blocks for reading files; the tasks run on one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/doctor/doctor.hpp"
#include "mesh/plan/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace looking {

// Where this machine's agent keeps what it knows.
struct Place {
  std::string node;
  std::string state;          // directory
  std::string seed_topology;  // file; may be empty
  std::string agent_socket;
  std::string bird_control;
  std::string wireguard_sockets;
  std::string controller_url = {};     // where this machine's agent finds it
  std::string controller_socket = {};  // where it runs on this machine; empty: it does not
};

struct KnownWorld {
  std::optional<plan::World> world;  // of the newest snapshot, else of the seed
  std::int64_t snapshot_s = 0;       // Unix time at which that snapshot was written; 0: there is none
  std::vector<std::string> damaged;  // snapshots that were passed over, a sentence each
  std::string problem;               // why there is no world
};
[[nodiscard]] KnownWorld known_world(Place const& place);

struct Examined {
  std::vector<doctor::Finding> findings;
  std::vector<std::string> blind;  // what could not be seen, a sentence each
};
// Needs root, or CAP_NET_ADMIN and CAP_NET_RAW. About a second.
net::Task<Examined> examine(Place place);

// The same as JSON: {"node","healthy","findings","blind"}.
net::Task<std::string> examined_json(Place place);

enum class Format { svg, dot, json };
// The drawing's text, with the round trips that the agent here and, where it answers within two seconds, the controller
// know. No world: errc of plan; BIRD cannot be asked: bird::errc.
net::Task<base::Result<std::string>> draw(Place place, Format format);

}  // namespace looking
