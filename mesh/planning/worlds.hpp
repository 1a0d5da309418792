// The two worlds a plan is about: the one that is wanted (a topology file) and the one that runs, as far as this
// machine knows it.
//
// What runs is the newest world the agent of this machine applied (its snapshots), unless a file is named. Identities
// and keys are taken from it, so that a plan shows what the controller would do with the file. Nothing is written.
//
// Threads: reads files; blocks for their time.
#pragma once

#include "mesh/plan/world.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace planning {

struct Sources {
  std::string topology;    // file
  std::string allocation;  // file of identities; empty: those of the world that runs, else new ones
  std::string running;     // file: a world document or a snapshot of one; empty: the newest in `snapshots`
  std::string snapshots;   // folder; empty: none
  std::string keys;        // file: "NODE PUBLICKEY" a line; added to those of the world that runs
};

struct Worlds {
  plan::World wanted;
  std::optional<plan::World> running;
  std::string running_from;  // "revision 7, of /var/lib/privateer/worlds"
};

// The error is every problem, a line each: "topology.yaml:14:7: ...".
boost::system::result<Worlds, std::string> load_worlds(Sources const& sources, std::int64_t now_s);

}  // namespace planning
