#include "base/database/database.hpp"

#include "base/database/change_log.hpp"
#include "base/database/connection.hpp"
#include "base/database/schema.hpp"
#include "base/process/folders.hpp"
#include "base/process/service.hpp"
#include "base/result/category.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace database {
namespace {

char const* message_of(int code) {
  switch (static_cast<errc>(code)) {
    case errc::cannot_open:
      return "cannot open the store";
    case errc::locked:
      return "another process holds the store";
    case errc::newer:
      return "the store was written by a newer version";
    case errc::corrupt:
      return "the store is damaged";
    case errc::constraint:
      return "against a rule of the store";
    case errc::full:
      return "the disk is full";
    case errc::gone:
      return "the store's file is gone";
    case errc::failed:
      return "the store failed";
  }
  return "unknown store error";
}

constexpr std::string_view scheme = "sqlite://";

// A first start finds no folder. The store holds private keys: folder and files are its owner's alone, whatever the
// umask, and SQLite gives the files beside them the same mode.
base::Result<void> prepare_files(std::string const& path) {
  if (auto made = process::make_folder_for(path, 0700, "the store"); !made) {
    return base::fail(errc::cannot_open, made.error().what());
  }
  for (std::string const& file : {path, path + ".lock"}) {
    if (auto made = process::make_private_file(file); !made) {
      return base::fail(errc::cannot_open, made.error().what());
    }
  }
  return {};
}

// The lock comes first: two processes must not even migrate the same file.
base::Result<process::LockFile> lock(std::string const& path) {
  auto taken = process::LockFile::acquire(path + ".lock");
  if (taken.has_value()) {
    return taken;
  }
  // A lock file that cannot even be made is a matter of folders and permissions, not of another holder.
  bool const held = taken.error().code == process::errc::locked;
  return base::fail(held ? errc::locked : errc::cannot_open, taken.error().detail);
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("database", message_of);
  return {static_cast<int>(code), category};
}

std::int64_t integer(Value const& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    return 0;
  }
  ASSERT(std::holds_alternative<std::int64_t>(value));
  return std::get<std::int64_t>(value);
}

std::string const& text(Value const& value) {
  static std::string const nothing;
  if (std::holds_alternative<std::monostate>(value)) {
    return nothing;
  }
  ASSERT(std::holds_alternative<std::string>(value));
  return std::get<std::string>(value);
}

Blob const& blob(Value const& value) {
  static Blob const nothing;
  static Blob const no_blob{0};
  Blob const* const octets = std::get_if<Blob>(&value);
  return octets != nullptr ? *octets : std::holds_alternative<std::monostate>(value) ? nothing : no_blob;
}

struct Database::State {
  std::optional<process::LockFile> lock;  // released last: declared before the connection
  std::unique_ptr<Connection> connection;
  std::vector<Table> tables;
  Revision revision = 0;
  Revision log_start = 0;  // the log holds every change above this revision
  std::string history;
  std::vector<std::function<void(Changes const&)>> listeners;
  std::shared_ptr<Companion> companion;  // of whoever writes now

  base::Result<void> load_meta();
  base::Result<void> save_meta(std::string const& key, Value const& value);
  // Revision after the body's writes: one more when a trigger logged something.
  base::Result<Revision> advance();
  base::Result<void> apply(Changes const& changes);
  void roll_back();
  // Commits what the transaction holds as `next`, then tells the listeners.
  base::Result<void> commit(Revision next);
};

base::Result<void> Database::State::load_meta() {
  auto rows = connection->query("SELECT key, value FROM database_meta");
  if (rows.has_error()) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    if (text(row[0]) == "revision") {
      revision = integer(row[1]);
    } else if (text(row[0]) == "log_start") {
      log_start = integer(row[1]);
    } else if (text(row[0]) == "history") {
      history = text(row[1]);
    }
  }
  return {};
}

base::Result<void> Database::State::save_meta(std::string const& key, Value const& value) {
  auto done = connection->execute("UPDATE database_meta SET value = ? WHERE key = ?", {value, key});
  if (done.has_error()) {
    return done.error();
  }
  return {};
}

base::Result<Revision> Database::State::advance() {
  auto logged = connection->query("SELECT 1 FROM change_log WHERE revision > ? LIMIT 1", {revision});
  if (logged.has_error()) {
    return logged.error();
  }
  if (logged->empty()) {
    return revision;
  }
  if (auto saved = save_meta("revision", revision + 1); saved.has_error()) {
    return saved.error();
  }
  return revision + 1;
}

void Database::State::roll_back() {
  // SQLite rolls back by itself when the disk is full, and then there is nothing to do.
  if (connection->in_transaction()) {
    auto const done = connection->script("ROLLBACK");
    ASSERT(done.has_value());
  }
}

base::Result<void> Database::State::commit(Revision next) {
  // What changed is read before the commit: afterwards a failure could no longer be reported as one.
  Changes changes;
  if (!listeners.empty() && next != revision) {
    auto read = read_log(*connection, tables, revision, next);
    if (read.has_error()) {
      return read.error();
    }
    changes = std::move(*read);
    changes.history = history;
  }
  if (auto there = connection->still_there(); there.has_error()) {
    return there;
  }
  if (auto committed = connection->script("COMMIT"); committed.has_error()) {
    return committed;
  }
  if (std::exchange(revision, next) != next) {
    for (auto const& listener : listeners) {
      listener(changes);
    }
  }
  return {};
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

base::Result<std::unique_ptr<Database>> Database::open(std::string const& url, std::vector<Schema> const& schemas) {
  if (!url.starts_with(scheme) || url.size() == scheme.size()) {
    return base::fail(errc::cannot_open, "'" + url + "' is no store (expected sqlite:///path/to/file)");
  }
  std::string const path = url.substr(scheme.size());
  bool const in_memory = path == ":memory:";
  auto state = std::make_unique<State>();
  if (!in_memory) {
    if (auto prepared = prepare_files(path); !prepared) {
      return prepared.error();
    }
    auto taken = lock(path);
    if (taken.has_error()) {
      return taken.error();
    }
    state->lock.emplace(std::move(*taken));
  }
  auto connection = Connection::open(path);
  if (connection.has_error()) {
    return connection.error();
  }
  state->connection = std::move(*connection);
  auto tables = bring_up_to_date(*state->connection, in_memory ? "" : path, schemas);
  if (tables.has_error()) {
    return base::Failure{tables.error().code, path + ": " + tables.error().detail};
  }
  state->tables = std::move(*tables);
  if (auto loaded = state->load_meta(); loaded.has_error()) {
    return loaded.error();
  }
  return std::unique_ptr<Database>(new Database(std::move(state)));
}

base::Result<Rows> Database::query(std::string_view sql, std::vector<Value> const& parameters) {
  std::int64_t const before = state_->connection->total_changes();
  auto rows = state_->connection->query(sql, parameters);
  ASSERT(state_->connection->total_changes() == before);
  return rows;
}

base::Result<void> Database::for_each(std::string_view sql, std::vector<Value> const& parameters,
                                      std::function<void(Row const&)> const& visit) {
  std::int64_t const before = state_->connection->total_changes();
  auto done = state_->connection->for_each(sql, parameters, visit);
  ASSERT(state_->connection->total_changes() == before);
  return done;
}

base::Result<Revision> Database::write(std::function<base::Result<void>(Transaction&)> const& body) {
  ASSERT(!state_->connection->in_transaction());
  if (auto begun = state_->connection->script("BEGIN IMMEDIATE"); begun.has_error()) {
    return begun.error();
  }
  Transaction transaction(*state_);
  base::Result<Revision> next = state_->revision;
  std::shared_ptr<Companion> const companion = state_->companion;
  bool const along = companion != nullptr && !companion->left_.load(std::memory_order_acquire) &&
                     !companion->committed_.load(std::memory_order_relaxed);
  try {
    auto written = body(transaction);
    written = written.has_value() && along ? companion->write_(transaction) : written;
    next = written.has_error() ? base::Result<Revision>(written.error()) : state_->advance();
  } catch (...) {
    state_->roll_back();
    throw;
  }
  if (next.has_value()) {
    if (auto committed = state_->commit(*next); committed.has_error()) {
      next = committed.error();
    }
  }
  if (next.has_error()) {
    state_->roll_back();
  } else if (along) {
    companion->committed_.store(true, std::memory_order_release);
  }
  return next;
}

void Database::accompany(std::shared_ptr<Companion> companion) {
  state_->companion = std::move(companion);
}

Revision Database::revision() const {
  return state_->revision;
}

std::string const& Database::history() const {
  return state_->history;
}

base::Result<Changes> Database::changes_since(Revision since, std::size_t rows_max, std::string_view history) {
  bool const other_history = !history.empty() && history != state_->history;
  base::Result<Changes> changes = Changes{};
  if (other_history || since < state_->log_start || since > state_->revision) {
    changes = read_everything(*state_->connection, state_->tables, state_->revision);
  } else {
    auto last = last_whole_revision(*state_->connection, since, state_->revision, rows_max);
    if (last.has_error()) {
      return last.error();
    }
    changes = read_log(*state_->connection, state_->tables, since, *last);
  }
  if (changes.has_value()) {
    changes->history = state_->history;
  }
  return changes;
}

base::Result<void> Database::State::apply(Changes const& changes) {
  if (auto begun = connection->script("BEGIN IMMEDIATE"); begun.has_error()) {
    return begun.error();
  }
  if (auto written = write_changes(*connection, tables, changes); written.has_error()) {
    return written;
  }
  if (auto saved = save_meta("revision", changes.to); saved.has_error()) {
    return saved;
  }
  if (changes.complete) {
    if (auto saved = save_meta("log_start", changes.to); saved.has_error()) {
      return saved;
    }
  }
  if (!changes.history.empty()) {
    if (auto saved = save_meta("history", changes.history); saved.has_error()) {
      return saved;
    }
  }
  if (auto there = connection->still_there(); there.has_error()) {
    return there;
  }
  return connection->script("COMMIT");
}

base::Result<void> Database::apply_changes(Changes const& changes) {
  State& state = *state_;
  if (!changes.complete) {
    if (changes.to <= state.revision) {
      return {};
    }
    bool const other_history = !changes.history.empty() && changes.history != state.history && state.revision != 0;
    if (changes.from != state.revision || other_history) {
      return base::fail(errc::failed, "changes from revision " + std::to_string(changes.from) +
                                          (other_history ? " of another history" : "") + " do not continue revision " +
                                          std::to_string(state.revision));
    }
  }
  if (auto rested = state.connection->set_enforcement(false); rested.has_error()) {
    return rested;
  }
  auto applied = state.apply(changes);
  state.roll_back();
  if (auto resumed = state.connection->set_enforcement(true); resumed.has_error()) {
    return resumed;
  }
  if (applied.has_error()) {
    return applied;
  }
  if (auto loaded = state.load_meta(); loaded.has_error()) {
    return loaded;
  }
  for (auto const& listener : state.listeners) {
    listener(changes);
  }
  return {};
}

void Database::on_commit(std::function<void(Changes const&)> listener) {
  state_->listeners.push_back(std::move(listener));
}

base::Result<void> Database::trim_log(Revision keep) {
  Revision const start = std::max(state_->log_start, state_->revision - std::max<Revision>(keep, 0));
  auto written = write([start](Transaction& transaction) -> base::Result<void> {
    if (auto trimmed = transaction.execute("DELETE FROM change_log WHERE revision <= ?", {start});
        trimmed.has_error()) {
      return trimmed.error();
    }
    auto noted = transaction.execute("UPDATE database_meta SET value = ? WHERE key = 'log_start'", {start});
    if (noted.has_error()) {
      return noted.error();
    }
    return {};
  });
  if (written.has_error()) {
    return written.error();
  }
  state_->log_start = start;
  return {};
}

base::Result<Rows> Transaction::query(std::string_view sql, std::vector<Value> const& parameters) {
  if (!state_.connection->in_transaction()) {
    return base::fail(errc::failed, "the transaction was rolled back by an earlier failure");
  }
  return state_.connection->query(sql, parameters);
}

base::Result<std::int64_t> Transaction::execute(std::string_view sql, std::vector<Value> const& parameters) {
  if (!state_.connection->in_transaction()) {
    // Without this a body that ignored "disk full" would go on outside any transaction.
    return base::fail(errc::failed, "the transaction was rolled back by an earlier failure");
  }
  return state_.connection->execute(sql, parameters);
}

std::int64_t Transaction::last_insert_id() const {
  return state_.connection->last_insert_id();
}

}  // namespace database
