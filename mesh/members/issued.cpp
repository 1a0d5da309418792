#include "mesh/members/issued.hpp"

namespace members {
namespace {

constexpr std::string_view tables = R"(
  CREATE TABLE issued_certificate (
    serial TEXT PRIMARY KEY, name TEXT NOT NULL, key_sha256 TEXT NOT NULL, until_s INTEGER NOT NULL);
  CREATE INDEX issued_certificate_end ON issued_certificate (until_s);
)";

// A clock that is set back finds them still.
constexpr std::int64_t kept_s = 24 * 3600;

}  // namespace

database::Schema issued_schema() {
  return {"issued", {{1, tables}}, {}};
}

base::Result<void> note_issued(database::Database& database, Issued const& issued, std::int64_t now_s) {
  auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
    auto const ended = transaction.execute("DELETE FROM issued_certificate WHERE until_s < ?", {now_s - kept_s});
    if (!ended) {
      return ended.error();
    }
    auto const noted = transaction.execute("INSERT OR REPLACE INTO issued_certificate VALUES (?, ?, ?, ?)",
                                           {issued.serial, issued.name, issued.key_sha256, issued.until_s});
    return noted ? base::Result<void>() : base::Result<void>(noted.error());
  };
  auto const written = database.write(body);
  return written ? base::Result<void>() : base::Result<void>(written.error());
}

base::Result<std::vector<internal_ca::Revoked>> revoked(database::Database& database, std::int64_t now_s) {
  auto const rows = database.query(
      "SELECT i.serial, COALESCE(MAX(n.removed_at_s, n.joined_at_s), 0) FROM issued_certificate i "
      "LEFT JOIN enrolment_node n ON n.name = i.name "
      "LEFT JOIN enrolment_operator o ON o.name = i.name "
      "LEFT JOIN enrolment_certificate c ON c.name = i.name "
      "WHERE i.until_s > ? AND (((n.name IS NULL OR n.removed_at_s <> 0) AND o.name IS NULL) "
      "OR (c.key_sha256 IS NOT NULL AND c.key_sha256 <> i.key_sha256)) ORDER BY i.serial",
      {now_s});
  if (!rows) {
    return rows.error();
  }
  std::vector<internal_ca::Revoked> out;
  for (auto const& row : *rows) {
    out.push_back({database::text(row[0]), database::integer(row[1])});
  }
  return out;
}

}  // namespace members
