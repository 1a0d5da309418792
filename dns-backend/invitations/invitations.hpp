// Invitations: who holds one may make so many tenants of his own, until it ends.
//
// Failures: errc below; store::errc::not_found where it says so; the database's own.
//
// Threads: ended() and schema() are pure; the rest the store thread.
#pragma once

#include "dns-backend/writes/write.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace invitations {

enum class errc {
  not_invited = 1,  // wrong, used up, expired or revoked: the detail says which, and is not for the asker
  too_many,         // as many sign-ups as there may be in a day
  other_request,    // the key was used for another sign-up
  other_label,      // the invitation is not for this label
  answered,         // a repeat that comes too late: what it asks for was made, and may be in use
};
boost::system::error_code make_error_code(errc code);

struct Invitation {
  std::string id;          // public
  std::string label = {};  // pattern of the labels it is for, '*' any characters; empty: any label
  std::string plan = {};   // empty: the settings'
  std::string note = {};
  std::int64_t uses = 1;
  std::int64_t used = 0;
  std::int64_t created_at_ms = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
  std::int64_t revoked_at_ms = 0;
};

// Rows of invitations that ended go after so long; until then lists show them.
inline constexpr std::int64_t ended_kept_ms = 30LL * 24 * 3600 * 1000;

database::Schema schema();

// Empty while it is good, else "revoked", "expired" or "used up".
std::string ended(Invitation const& invitation, std::int64_t now_ms);

base::Result<void> add(store::Write const& write, Invitation const& invitation, std::string const& hash);
// store::errc::not_found: there is none of this id, or it was revoked before.
base::Result<void> revoke(store::Write const& write, std::string const& id, std::int64_t now_ms);
// One use of the invitation of this hash. not_invited when there is none, or it ended.
base::Result<Invitation> take(store::Write const& write, std::string const& hash, std::int64_t now_ms);
base::Result<void> sweep(store::Write const& write, std::int64_t now_ms);
// By id.
base::Result<std::vector<Invitation>> list(database::Database& database);

}  // namespace invitations

template <>
struct boost::system::is_error_code_enum<invitations::errc> : std::true_type {};
