#include "dns-backend/audit/audit.hpp"

namespace audit {

using database::integer;
using database::text;

base::Result<void> add_row(database::Transaction& transaction, Entry const& entry) {
  auto const done = transaction.execute(
      "INSERT INTO audit (at_ms, actor, tenant_id, source, method, target, status, request_id, detail) VALUES (?, ?, "
      "?, ?, ?, ?, ?, ?, ?)",
      {entry.at_ms, entry.actor, entry.tenant_id, entry.source, entry.method, entry.target, std::int64_t{entry.status},
       entry.request_id, entry.detail});
  return done ? base::Result<void>() : done.error();
}

net::Task<base::Result<std::vector<Entry>>> read(database::StoreThread& thread, Question question) {
  std::function<base::Result<std::vector<Entry>>(database::Database&)> const work =
      [question](database::Database& database) -> base::Result<std::vector<Entry>> {
    auto const rows = database.query(
        "SELECT id, at_ms, actor, tenant_id, source, method, target, status, request_id, detail FROM audit WHERE (? < "
        "0 "
        "OR tenant_id = ?) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?",
        {question.tenant_id, question.tenant_id, question.before_id, question.before_id, question.limit});
    if (!rows) {
      return rows.error();
    }
    std::vector<Entry> out;
    for (database::Row const& row : *rows) {
      out.push_back({integer(row[0]), integer(row[1]), text(row[2]), integer(row[3]), text(row[4]), text(row[5]),
                     text(row[6]), static_cast<int>(integer(row[7])), text(row[8]), text(row[9])});
    }
    return out;
  };
  co_return co_await thread.run<std::vector<Entry>>(work);
}

net::Task<base::Result<void>> trim(database::StoreThread& thread, std::int64_t now_ms) {
  constexpr std::int64_t kept_ms = 400LL * 24 * 3600 * 1000;
  std::function<base::Result<void>(database::Database&)> const work =
      [now_ms](database::Database& database) -> base::Result<void> {
    auto const written = database.write([now_ms](database::Transaction& transaction) -> base::Result<void> {
      auto const done = transaction.execute("DELETE FROM audit WHERE at_ms < ?", {now_ms - kept_ms});
      return done ? base::Result<void>() : done.error();
    });
    return written ? base::Result<void>() : written.error();
  };
  co_return co_await thread.run<void>(work);
}

}  // namespace audit
