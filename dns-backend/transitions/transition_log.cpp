#include "dns-backend/transitions/transition_log.hpp"

#include "base/net/backoff.hpp"
#include "base/process/log.hpp"

#include <algorithm>
#include <deque>
#include <random>

namespace transitions {
namespace {

using database::Database;
using database::Transaction;
using probe::Health;

constexpr std::size_t batch_max = 1000;
constexpr std::int64_t limit_max = 1000;

constexpr std::string_view version_1 = R"sql(
  CREATE TABLE health_transition (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    was INTEGER NOT NULL,
    is_now INTEGER NOT NULL,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL);
  CREATE INDEX health_transition_by_endpoint ON health_transition (endpoint, id);
)sql";

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

using Batch = std::vector<Transition>;

base::Result<void> insert(Transaction& transaction, Batch const& batch) {
  for (Transition const& one : batch) {
    auto const done = transaction.execute(
        "INSERT INTO health_transition (at_ms, endpoint, was, is_now, reason, decided_by) VALUES (?, ?, ?, ?, ?, ?)",
        {one.at_ms, one.endpoint, std::int64_t{static_cast<std::uint8_t>(one.from)},
         std::int64_t{static_cast<std::uint8_t>(one.to)}, one.reason, one.decided_by});
    if (!done) {
      return done.error();
    }
  }
  return {};
}

// Old rows go with new ones, so that the table is bounded without anybody cleaning up.
base::Result<void> trim(Transaction& transaction, std::int64_t oldest_ms, std::int64_t rows_max) {
  auto const old = transaction.execute(
      "DELETE FROM health_transition WHERE id IN (SELECT id FROM health_transition ORDER BY id LIMIT 2000) AND at_ms < "
      "?",
      {oldest_ms});
  if (!old) {
    return old.error();
  }
  auto const many = transaction.execute(
      "DELETE FROM health_transition WHERE id <= (SELECT max(id) FROM health_transition) - ?", {rows_max});
  if (!many) {
    return many.error();
  }
  return {};
}

base::Result<Batch> select(Database& database, Query const& query) {
  std::string sql =
      "SELECT id, at_ms, endpoint, was, is_now, reason, decided_by FROM health_transition WHERE at_ms >= ?";
  std::vector<database::Value> values = {query.since_ms};
  if (!query.endpoint.empty()) {
    sql += " AND endpoint = ?";
    values.emplace_back(query.endpoint);
  }
  if (query.before_id > 0) {
    sql += " AND id < ?";
    values.emplace_back(query.before_id);
  }
  sql += " ORDER BY id DESC LIMIT ?";
  values.emplace_back(std::clamp<std::int64_t>(query.limit, 1, limit_max));
  auto const rows = database.query(sql, values);
  if (!rows) {
    return rows.error();
  }
  Batch out;
  for (database::Row const& row : *rows) {
    auto const health = [&row](std::size_t column) {
      return static_cast<Health>(std::get<std::int64_t>(row[column]) & 3);
    };
    out.push_back({std::get<std::int64_t>(row[0]), std::get<std::int64_t>(row[1]), std::get<std::string>(row[2]),
                   health(3), health(4), std::get<std::string>(row[5]), std::get<std::string>(row[6])});
  }
  return out;
}

}  // namespace

database::Schema schema() {
  return {"transitions", {{1, version_1}}, {}};
}

struct TransitionLog::State {
  State(net::asio::any_io_executor executor, database::StoreThread& the_thread, LogSettings wanted,
        process::Metrics& metrics)
      : thread(the_thread),
        settings(wanted),
        wake(executor),
        backoff(settings.first_retry, settings.last_retry),
        lost(metrics.counter("navigator_transitions_lost_total", "Changes of health that could not be kept", {})) {}

  static net::Task<void> write_for_ever(std::shared_ptr<State> state);
  static net::Task<base::Result<database::Revision>> write(std::shared_ptr<State> state, Batch batch);

  database::StoreThread& thread;
  LogSettings settings;
  net::Signal wake;
  net::Backoff backoff;
  process::Counter lost;
  std::deque<Transition> waiting;
  std::minstd_rand random{std::random_device{}()};
  bool running = true;
};

net::Task<base::Result<database::Revision>> TransitionLog::State::write(std::shared_ptr<State> state, Batch batch) {
  std::int64_t const kept_ms = std::chrono::duration_cast<std::chrono::milliseconds>(state->settings.kept).count();
  std::int64_t const oldest_ms = wall_ms() - kept_ms;
  std::int64_t const rows_max = state->settings.rows_max;
  auto const body = [batch = std::move(batch), oldest_ms, rows_max](Transaction& transaction) -> base::Result<void> {
    if (auto const inserted = insert(transaction, batch); !inserted) {
      return inserted;
    }
    return trim(transaction, oldest_ms, rows_max);
  };
  std::function<base::Result<database::Revision>(Database&)> const work = [body](Database& database) {
    return database.write(body);
  };
  co_return co_await state->thread.run<database::Revision>(work);
}

net::Task<void> TransitionLog::State::write_for_ever(std::shared_ptr<State> state) {
  constexpr std::chrono::hours again_in{1};  // only a notification ends this wait
  while (state->running) {
    if (state->waiting.empty()) {
      co_await state->wake.wait(again_in);
      continue;
    }
    Batch batch;
    std::size_t const count = std::min(batch_max, state->waiting.size());
    std::move(state->waiting.begin(), state->waiting.begin() + static_cast<std::ptrdiff_t>(count),
              std::back_inserter(batch));
    state->waiting.erase(state->waiting.begin(), state->waiting.begin() + static_cast<std::ptrdiff_t>(count));
    auto const written = co_await write(state, batch);
    if (!state->running) {
      co_return;
    }
    if (written) {
      state->backoff.succeeded();
      continue;
    }
    if (state->backoff.failures() == 0) {  // once for each outage
      process::log::warning("transitions", "cannot be written, {} wait: {}", state->waiting.size() + batch.size(),
                            written.error().what());
    }
    state->waiting.insert(state->waiting.begin(), std::make_move_iterator(batch.begin()),
                          std::make_move_iterator(batch.end()));
    while (state->waiting.size() > state->settings.waiting_max) {
      state->waiting.pop_front();
      state->lost.add();
    }
    co_await state->wake.wait(state->backoff.next(static_cast<std::uint32_t>(state->random())));
  }
}

TransitionLog::TransitionLog(net::asio::any_io_executor executor, database::StoreThread& thread, LogSettings settings,
                             process::Metrics& metrics)
    : state_(std::make_shared<State>(executor, thread, settings, metrics)) {
  net::spawn(executor, "log of transitions", State::write_for_ever(state_));
}

TransitionLog::~TransitionLog() {
  state_->running = false;
  state_->wake.notify();
}

void TransitionLog::add(Transition transition) {
  state_->waiting.push_back(std::move(transition));
  if (state_->waiting.size() > state_->settings.waiting_max) {
    state_->waiting.pop_front();
    state_->lost.add();
  }
  // Only a writer that has nothing to do is woken: one that waits after a failure is not hastened.
  if (state_->waiting.size() == 1) {
    state_->wake.notify();
  }
}

net::Task<base::Result<std::vector<Transition>>> TransitionLog::recent(Query query) {
  std::function<base::Result<Batch>(Database&)> const work = [query = std::move(query)](Database& database) {
    return select(database, query);
  };
  co_return co_await state_->thread.run<Batch>(work);
}

std::size_t TransitionLog::waiting() const {
  return state_->waiting.size();
}

}  // namespace transitions
