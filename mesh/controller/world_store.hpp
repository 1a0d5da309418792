// The controller's own row: topology text and allocation, and the world document made of it and the members.
//
// Threads: functions over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "mesh/controller/controller.hpp"
#include "mesh/plan/world.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace controller {

database::Schema schema();

// Validates, allocates identities for what is new, and stores both; the same text again changes nothing.
// errc::bad_topology.
base::Result<database::Revision> set_topology(database::Database& database, std::string const& text,
                                              std::string const& source_name, std::int64_t now_s);

struct Stored {
  plan::WorldDocument document;
  std::set<std::string> topology_nodes;
  std::set<std::string> members;  // joined and not removed
};
base::Result<Stored> read_world(database::Database& database);

}  // namespace controller
