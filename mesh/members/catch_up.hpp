// What a world that was made after this book was copied says of the members: for a controller that was given an older
// copy of its store again, and is shown by a node what it had signed since.
//
// A key that the world calls removed is one. A member whose key is among them and for whom the world names another has
// changed it once, when its count of changes says so and no key was removed that this book does not know: such a one
// may have been of another machine, which joined by the name of a stolen one and changed its key then. Else it joined
// again. A member for whom the world names none was removed, also where the world no longer names its key. Whom the
// book does not know as a member joined since: it keeps its links, but the book cannot tell whose certificate is its
// own, and none is good until it joins again. Whoever was removed here after the copy came back stays removed.
//
// Threads: a pure function over a Transaction, called on the thread that owns its database.
#pragma once

#include "base/database/database.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace members {

struct LaterWorld {
  std::map<std::string, std::string> nodes;  // name -> key in base64
  std::map<std::string, std::uint32_t> generations;
  std::set<std::string> removed;  // keys in base64
  std::int64_t issued_at_s = 0;   // who joined later may be missing
};

// Names.
struct CaughtUp {
  std::set<std::string> removed;
  std::set<std::string> changed;  // their key
  std::set<std::string> joined;   // are to join again
};

// Errors of the database.
base::Result<CaughtUp> catch_up(database::Transaction& transaction, LaterWorld const& later, std::int64_t now_s);

}  // namespace members
