#include "dns-backend/invitations/invitations.hpp"

namespace invitations {

using database::integer;
using database::text;

namespace {

// Nothing here is replicated: a replica passes sign-ups on.
constexpr std::string_view version_1 = R"sql(
  CREATE TABLE invitation (
    id TEXT PRIMARY KEY NOT NULL,        -- public
    hash TEXT NOT NULL UNIQUE,           -- SHA-256 of 256 random bits
    label TEXT NOT NULL,                 -- pattern; empty: any
    plan TEXT NOT NULL,                  -- empty: the settings'
    note TEXT NOT NULL,
    uses INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,      -- 0: never
    revoked_at_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
  CREATE TABLE sign_up (                 -- of the last days: for the day's limit and for repeats
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,         -- the tenant's revision when it was made
    token_id TEXT NOT NULL,              -- the one that was given out last
    key TEXT NOT NULL,                   -- SHA-256 of the Idempotency-Key; empty: there was none
    request TEXT NOT NULL);              -- SHA-256 of the body
  CREATE INDEX sign_up_by_time ON sign_up (at_ms);
  CREATE UNIQUE INDEX sign_up_by_key ON sign_up (key) WHERE key <> '';
)sql";

constexpr char const* columns =
    "SELECT id, label, plan, note, uses, used, created_at_ms, expires_at_ms, revoked_at_ms FROM invitation ";

Invitation invitation_of(database::Row const& row) {
  return {text(row[0]),    text(row[1]),    text(row[2]),    text(row[3]),   integer(row[4]),
          integer(row[5]), integer(row[6]), integer(row[7]), integer(row[8])};
}

// Boost's category has no virtual destructor; categories are static objects and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "invitations"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::not_invited:
        return "not invited";
      case errc::too_many:
        return "too many sign-ups in a day";
      case errc::other_request:
        return "the key was used for another request";
      case errc::other_label:
        return "not for this label";
      case errc::answered:
        return "answered before";
    }
    return "unknown error of a sign-up";
  }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

database::Schema schema() {
  return {"invitations", {{1, version_1}}, {}};
}

std::string ended(Invitation const& invitation, std::int64_t now_ms) {
  if (invitation.revoked_at_ms != 0) {
    return "revoked";
  }
  if (invitation.expires_at_ms != 0 && now_ms >= invitation.expires_at_ms) {
    return "expired";
  }
  return invitation.used >= invitation.uses ? "used up" : "";
}

base::Result<void> add(store::Write const& write, Invitation const& invitation, std::string const& hash) {
  return write.run(
      "INSERT INTO invitation (id, hash, label, plan, note, uses, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, "
      "?, ?, ?)",
      {invitation.id, hash, invitation.label, invitation.plan, invitation.note, invitation.uses,
       invitation.created_at_ms, invitation.expires_at_ms});
}

base::Result<void> revoke(store::Write const& write, std::string const& id, std::int64_t now_ms) {
  return write.run_on_row("UPDATE invitation SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms = 0", {now_ms, id},
                          base::fail(store::errc::not_found, "there is no invitation '" + id + "'"));
}

base::Result<Invitation> take(store::Write const& write, std::string const& hash, std::int64_t now_ms) {
  auto const rows = write.transaction.query(std::string(columns) + "WHERE hash = ?", {hash});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return base::fail(errc::not_invited, "there is no such invitation");
  }
  Invitation invitation = invitation_of(rows->front());
  if (std::string const why = ended(invitation, now_ms); !why.empty()) {
    return base::fail(errc::not_invited, "invitation " + invitation.id + " is " + why);
  }
  ++invitation.used;
  auto const counted = write.run("UPDATE invitation SET used = used + 1 WHERE id = ?", {invitation.id});
  return counted ? base::Result<Invitation>(std::move(invitation)) : counted.error();
}

base::Result<void> sweep(store::Write const& write, std::int64_t now_ms) {
  std::int64_t const before_ms = now_ms - ended_kept_ms;
  return write.run(
      "DELETE FROM invitation WHERE (revoked_at_ms <> 0 AND revoked_at_ms < ?) OR (expires_at_ms <> 0 AND "
      "expires_at_ms < ?)",
      {before_ms, before_ms});
}

base::Result<std::vector<Invitation>> list(database::Database& database) {
  auto const rows = database.query(std::string(columns) + "ORDER BY id");
  if (!rows) {
    return rows.error();
  }
  std::vector<Invitation> out;
  for (database::Row const& row : *rows) {
    out.push_back(invitation_of(row));
  }
  return out;
}

}  // namespace invitations
