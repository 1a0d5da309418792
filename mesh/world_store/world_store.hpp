// The controller's own row: topology text and allocation, and the world document made of it and the members.
//
// Threads: functions over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "base/result/result.hpp"
#include "mesh/enrolment/registry.hpp"
#include "mesh/link_costs/costs.hpp"
#include "mesh/members/members.hpp"
#include "mesh/plan/world.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace world_store {

enum class errc {
  bad_topology = 1,  // does not validate, or asks for numbers that are not to be had; the detail has every problem, one
                     // a line
};
boost::system::error_code make_error_code(errc code);

database::Schema schema();

// Validates, allocates identities for what is new, and stores both; the same text again changes nothing.
// errc::bad_topology.
base::Result<database::Revision> set_topology(database::Database& database, std::string const& text,
                                              std::string const& source_name, std::int64_t now_s);

enum class FileUse {
  taken,        // the stored topology is what the file says
  superseded,   // the file is as it was read last, and another topology was set since: that one stays
  conflicting,  // another topology was set since, and the file was edited too: the acknowledged one stays
};
// At a start: the file is the declared topology until one is set by PUT. An acknowledged PUT is never undone by a
// start, so a file that is not known to be newer is left aside and the operator is told. errc::bad_topology.
base::Result<FileUse> read_file_again(database::Database& database, std::string const& text,
                                      std::string const& source_name, std::int64_t now_s);

// For the log; empty: the file was taken.
std::string sentence(FileUse use, std::string const& file);

struct Stored {
  plan::WorldDocument document;  // without mesh and date, which are the signer's
  enrolment::Places topology_nodes;
  std::set<std::string> members;                        // joined and not removed
  std::set<std::string> operators;                      // "<name>.operator"
  std::map<std::string, std::string> certificate_keys;  // enrolment::certificate_keys()
  std::vector<members::NodeRow> rows;
  link_costs::MeasuredLinks measured;
  // Above this store's own counting, since it was shown what it had forgotten (catch_up.hpp).
  struct Life {
    std::int64_t ahead = 0;   // what is added to the database's revision
    std::int64_t learnt = 0;  // the newest revision of the former life that it was shown
    std::int64_t first = 0;   // of this life; 0: there was no other
    bool operator==(Life const&) const = default;
  } life;
};
base::Result<Stored::Life> read_life(database::Database& database);
base::Result<Stored> read_world(database::Database& database);

}  // namespace world_store

template <>
struct boost::system::is_error_code_enum<world_store::errc> : std::true_type {};
