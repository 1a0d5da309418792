// The controller's book of nodes: who joined with which key, who is drained, who changes its key, who was removed.
//
// A key that was a member's and is not any more, because the node was removed, joined again with another or changed it,
// is remembered for good: worlds name it, so that no older world brings it back.
//
// The tables are those of enrolment::schema().
//
// Threads: pure functions over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "mesh/enrolment/error.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace members {

struct NodeRow {
  std::string name;
  std::string public_key;  // base64
  std::int64_t joined_at_s = 0;
  std::int64_t removed_at_s = 0;  // 0: a member
  bool draining = false;
  std::string next_key = {};        // base64; empty: it does not change its key
  std::int64_t generation = 0;      // changes of key that were completed
  std::int64_t rotate_since_s = 0;  // asked to change its key; 0: it is not
  std::int64_t key_since_s = 0;     // the present key is a member's since
};

// All errors beside the database's are wrong_node (no member is named so), or what stands at the function.
base::Result<std::vector<NodeRow>> nodes(database::Database& database);
// The last ones; nodes know the earlier ones by what the newest world has (signed_world::Removals).
inline constexpr std::size_t named_removals = 1000;
base::Result<std::set<std::string>> removed_keys(database::Database& database);
base::Result<void> remove_node(database::Database& database, std::string const& name, std::int64_t now_s);
base::Result<void> set_draining(database::Database& database, std::string const& name, bool draining);

// A change of key, in order: asked for; the node shows the key it made (taken: it is a member's, or was); the node says
// that all its links run with it, and it becomes the key. Each may be repeated after a lost answer.
base::Result<void> ask_for_rotation(database::Database& database, std::string const& name, std::int64_t now_s);
base::Result<void> offer_key(database::Database& database, std::string const& name, std::string const& next_key);
base::Result<void> complete_rotation(database::Database& database, std::string const& name, std::string const& next_key,
                                     std::int64_t now_s);
// The node goes on with the key it has.
base::Result<void> abandon_rotation(database::Database& database, std::string const& name);

// Operators' certificates are good while they are in the book.
base::Result<std::set<std::string>> operators(database::Database& database);  // "<name>.operator"
base::Result<void> remove_operator(database::Database& database, std::string const& name);

}  // namespace members
