// A store that was put back from an older copy, and what it learns from a world that it made after that copy.
//
// The mesh has seen revisions that such a store does not know, and takes none below them. So the controller learns from
// a newest world of those what was removed since (mesh/members/catch_up.hpp) and goes on above it, with so much between
// that no revision of the former life is one of this, however much of it the node that showed the world had missed. The
// topology is not taken over: one that was set since the copy came back is not undone, and the operator is told.
//
// Threads: functions over a Database, called on the thread that owns it; the others are pure, and Claims are a plain
// value.
#pragma once

#include "mesh/members/catch_up.hpp"
#include "mesh/signed_world/signed_world.hpp"
#include "mesh/world_store/world_store.hpp"

#include <map>
#include <optional>
#include <set>
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

// Who says to have seen what the store has forgotten: a claim that nothing proves until a world is shown. So each
// stands beside those of others, none hides another, and all end.
class Claims {
 public:
  struct Claim {
    std::string by;
    std::int64_t seen = 0;
    std::int64_t since_s = 0;
  };
  // True when it is the first of `by` for ten minutes: to be told.
  bool add(std::string const& by, std::int64_t seen, std::int64_t now_s);
  // Which began last; nullopt: the store is not known to be behind.
  [[nodiscard]] std::optional<Claim> newest(std::int64_t now_s) const;
  void clear() { claims_.clear(); }

 private:
  std::map<std::string, Claim> claims_;  // by name
};

// Members that joined while it was forgotten, and are to join again.
std::set<std::string> to_join_again(Stored const& stored);

// For the log.
std::string sentence(Learnt const& learnt);

}  // namespace world_store
