// Tokens that nobody can join with any more, and who used them: without an end to them the book only grows.
//
// Threads: a pure function over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"

#include <cstdint>

namespace members {

// For so long after its end an operator still sees a token and how often it was used.
inline constexpr std::int64_t spent_tokens_kept_s = 30LL * 24 * 3600;

// Deletes what ended earlier. Uses by a name whose certificate's key is not known stay, with their tokens: they tell
// whether the name joined more than once (enrolment::learn_certificate_key). Errors of the database.
base::Result<void> forget_spent_tokens(database::Database& database, std::int64_t now_s);

}  // namespace members
