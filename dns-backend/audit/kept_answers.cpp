#include "dns-backend/audit/kept_answers.hpp"

#include <boost/json.hpp>

namespace audit {

namespace json = boost::json;
using database::integer;
using database::text;

namespace {

std::string headers_text(KeptAnswer const& answer) {
  json::object headers;
  for (auto const& [name, value] : answer.headers) {
    headers[name] = value;
  }
  return json::serialize(headers);
}

// The actor's oldest, some at a time: their age lies behind their bodies, which makes it dear to look at.
base::Result<void> make_room(database::Transaction& transaction, std::string const& actor) {
  constexpr std::int64_t at_once = 100;
  auto const count = transaction.query("SELECT count(*) FROM kept_answer WHERE actor = ?", {actor});
  if (!count) {
    return count.error();
  }
  if (integer(count->front()[0]) < answers_max) {
    return {};
  }
  auto const done = transaction.execute(
      "DELETE FROM kept_answer WHERE actor = ?1 AND key IN (SELECT key FROM kept_answer WHERE actor = ?1 ORDER BY "
      "+at_ms LIMIT ?2)",
      {actor, at_once});
  return done ? base::Result<void>() : done.error();
}

}  // namespace

net::Task<base::Result<std::optional<KeptAnswer>>> find_answer(database::StoreThread& thread, std::string actor,
                                                               std::string key, std::int64_t now_ms) {
  using Found = std::optional<KeptAnswer>;
  std::function<base::Result<Found>(database::Database&)> const work =
      [actor, key, now_ms](database::Database& database) -> base::Result<Found> {
    auto const rows = database.query(
        "SELECT request, status, headers, body, at_ms FROM kept_answer WHERE actor = ?1 AND key = ?2 AND at_ms > ?3 "
        "UNION ALL SELECT request, 0, '{}', '', at_ms FROM request_under_way WHERE actor = ?1 AND key = ?2",
        {actor, key, now_ms - answers_kept_ms});
    if (!rows) {
      return rows.error();
    }
    if (rows->empty()) {
      return Found();
    }
    database::Row const& row = rows->front();
    KeptAnswer answer{actor, key, text(row[0]), static_cast<int>(integer(row[1])), {}, text(row[3]), integer(row[4])};
    boost::system::error_code bad;
    json::value const headers = json::parse(text(row[2]), bad);
    if (!bad && headers.is_object()) {
      for (auto const& item : headers.get_object()) {
        answer.headers.emplace_back(item.key(), item.value().is_string() ? item.value().get_string().c_str() : "");
      }
    }
    return Found(std::move(answer));
  };
  co_return co_await thread.run<Found>(work);
}

base::Result<void> keep_row(database::Transaction& transaction, KeptAnswer const& answer) {
  auto const old = transaction.execute("DELETE FROM kept_answer WHERE at_ms <= ?", {answer.at_ms - answers_kept_ms});
  if (auto const room = make_room(transaction, answer.actor); !room) {
    return room;
  }
  auto const done = transaction.execute(
      "INSERT INTO kept_answer (actor, key, request, status, headers, body, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON "
      "CONFLICT (actor, key) DO UPDATE SET request = excluded.request, status = excluded.status, headers = "
      "excluded.headers, body = excluded.body, at_ms = excluded.at_ms",
      {answer.actor, answer.key, answer.request, std::int64_t{answer.status}, headers_text(answer), answer.body,
       answer.at_ms});
  return old && done ? base::Result<void>() : base::Result<void>(old ? done.error() : old.error());
}

}  // namespace audit
