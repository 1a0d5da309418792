// A store that was put back from an older copy, and what it learns from a world that it made after that copy.
//
// The mesh has seen revisions that such a store does not know, and takes none below them. So the controller learns from
// a newest world of those what was removed since (mesh/members/catch_up.hpp) and goes on above it, with so much between
// that no revision of the former life is one of this, however much of it the node that showed the world had missed. The
// topology is not taken over: one that was set since the copy came back is not undone, and the operator is told.
//
// Threads: functions over a Database, called on the thread that owns it; the others are pure.
#pragma once

#include "mesh/members/catch_up.hpp"
#include "mesh/signed_world/signed_world.hpp"
#include "mesh/world_store/world_store.hpp"

#include <string>

namespace world_store {

// More than a mesh makes while a controller is put back.
inline constexpr std::int64_t between_lives = 1000;

// Who has seen this revision has seen something that this store has forgotten: it was of a former life.
bool forgotten(Stored const& stored, std::int64_t seen);

struct Learnt {
  members::CaughtUp members;
  bool other_topology = false;  // the world was made from another one than what is stored
  database::Revision revision = 0;
};
// `later` is a world that this controller signed. Nothing is written when it is none of those that were forgotten.
// Errors of the database.
base::Result<Learnt> catch_up(database::Database& database, plan::WorldDocument const& later, std::int64_t now_s);

// The document in the body (signed_world::to_json), when this controller signed it: whatever its date says, and
// whatever the clocks of both. signed_world::errc, plan::errc::bad_document.
base::Result<plan::WorldDocument> own_word(std::string const& body, signed_world::VerifyKey const& key,
                                           std::string const& mesh);

// For the log.
std::string sentence(Learnt const& learnt);

}  // namespace world_store
