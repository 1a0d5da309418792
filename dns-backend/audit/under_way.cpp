#include "dns-backend/audit/under_way.hpp"

namespace audit {
namespace {

using database::integer;
using database::text;
using database::Transaction;

constexpr char const* lost = "the process ended before the answer; what it had changed by then stands";

base::Result<void> begin(Transaction& transaction, UnderWay const& about) {
  Entry const& entry = about.entry;
  auto const done = transaction.execute(
      "INSERT OR IGNORE INTO request_under_way (request_id, at_ms, actor, tenant_id, source, method, target, audited, "
      "key, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {entry.request_id, entry.at_ms, entry.actor, entry.tenant_id, entry.source, entry.method, entry.target,
       std::int64_t{about.audited}, about.key, about.request});
  return done ? base::Result<void>() : done.error();
}

base::Result<void> end(Transaction& transaction, Ending const& ending) {
  auto const gone = transaction.execute("DELETE FROM request_under_way WHERE request_id = ?", {ending.request_id});
  if (!gone) {
    return gone.error();
  }
  if (ending.entry) {
    if (auto const added = add_row(transaction, *ending.entry); !added) {
      return added;
    }
  }
  return ending.answer ? keep_row(transaction, *ending.answer) : base::Result<void>();
}

base::Result<std::int64_t> write_down(Transaction& transaction) {
  auto const rows = transaction.query(
      "SELECT request_id, at_ms, actor, tenant_id, source, method, target, audited, key, request FROM "
      "request_under_way ORDER BY at_ms");
  if (!rows) {
    return rows.error();
  }
  for (database::Row const& row : *rows) {
    Ending ending;
    ending.request_id = text(row[0]);
    if (integer(row[7]) != 0) {
      ending.entry = Entry{0, integer(row[1]), text(row[2]), integer(row[3]), text(row[4]), text(row[5]), text(row[6]),
                           0, text(row[0]),    lost};
    }
    if (!text(row[8]).empty()) {
      ending.answer = KeptAnswer{text(row[2]), text(row[8]), text(row[9]), answer_lost, {}, {}, integer(row[1])};
    }
    if (auto const done = end(transaction, ending); !done) {
      return done.error();
    }
  }
  return static_cast<std::int64_t>(rows->size());
}

}  // namespace

std::shared_ptr<database::Companion> companion_of(UnderWay about) {
  return std::make_shared<database::Companion>(
      [about = std::move(about)](Transaction& transaction) { return begin(transaction, about); });
}

net::Task<base::Result<void>> finish(database::StoreThread& thread, Ending ending) {
  std::function<base::Result<void>(database::Database&)> const work =
      [ending = std::move(ending)](database::Database& database) -> base::Result<void> {
    auto const written = database.write([&ending](Transaction& transaction) { return end(transaction, ending); });
    return written ? base::Result<void>() : written.error();
  };
  co_return co_await thread.run<void>(work);
}

net::Task<base::Result<std::int64_t>> recover(database::StoreThread& thread) {
  std::function<base::Result<std::int64_t>(database::Database&)> const work =
      [](database::Database& database) -> base::Result<std::int64_t> {
    std::int64_t found = 0;
    auto const written = database.write([&found](Transaction& transaction) -> base::Result<void> {
      auto const count = write_down(transaction);
      found = count ? *count : 0;
      return count ? base::Result<void>() : count.error();
    });
    return written ? base::Result<std::int64_t>(found) : written.error();
  };
  co_return co_await thread.run<std::int64_t>(work);
}

}  // namespace audit
