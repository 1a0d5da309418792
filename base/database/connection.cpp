#include "base/database/connection.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <unordered_map>

#include <unistd.h>

namespace database {
namespace {

constexpr std::size_t kept_statements_max = 256;
constexpr int busy_timeout_ms = 5000;

errc classify(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT:
      return errc::constraint;
    case SQLITE_FULL:
      return errc::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return errc::corrupt;
    case SQLITE_CANTOPEN:
      return errc::cannot_open;
    default:
      return errc::failed;
  }
}

base::Failure failure_of(SQLite::Exception const& problem, std::string_view sql) {
  constexpr std::size_t shown_max = 120;
  std::string shown(sql.substr(0, shown_max));
  if (sql.size() > shown_max) {
    shown += "...";
  }
  return base::fail(classify(problem.getErrorCode()), std::string(problem.what()) + " in: " + shown);
}

void bind(SQLite::Statement& statement, int index, Value const& value) {
  struct Binder {
    SQLite::Statement& statement;
    int index;
    void operator()(std::monostate) const { statement.bind(index); }
    void operator()(std::int64_t number) const { statement.bind(index, number); }
    void operator()(double number) const { statement.bind(index, number); }
    void operator()(std::string const& words) const { statement.bind(index, words); }
    void operator()(Blob const& octets) const {
      // SQLite reads a null pointer as NULL, and an empty vector may have one.
      static constexpr std::uint8_t nothing = 0;
      statement.bind(index, octets.empty() ? &nothing : octets.data(), static_cast<int>(octets.size()));
    }
  };
  std::visit(Binder{statement, index}, value);
}

Value value_of(SQLite::Column const& column) {
  switch (column.getType()) {
    case SQLITE_INTEGER:
      return column.getInt64();
    case SQLITE_FLOAT:
      return column.getDouble();
    case SQLITE_TEXT:
      return column.getString();
    case SQLITE_BLOB: {
      auto const* const octets = static_cast<std::uint8_t const*>(column.getBlob());
      auto const size = static_cast<std::size_t>(column.getBytes());
      return size == 0 ? Blob{} : Blob(octets, octets + size);
    }
    default:
      return std::monostate{};
  }
}

// A kept statement goes back to its start whatever happened, or it would hold its read lock for ever.
class Rewind {
 public:
  explicit Rewind(SQLite::Statement& statement) : statement_(statement) {}
  ~Rewind() {
    statement_.tryReset();
    statement_.clearBindings();
  }
  Rewind(Rewind const&) = delete;
  Rewind& operator=(Rewind const&) = delete;

 private:
  SQLite::Statement& statement_;
};

}  // namespace

struct Connection::State {
  explicit State(std::string const& path)
      : sqlite(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX, busy_timeout_ms) {}

  SQLite::Statement& prepared(std::string_view sql, std::vector<Value> const& parameters) {
    std::string key(sql);
    auto found = kept.find(key);
    if (found == kept.end()) {
      if (kept.size() >= kept_statements_max) {
        kept.clear();
      }
      auto statement = std::make_unique<SQLite::Statement>(sqlite, key);
      found = kept.emplace(std::move(key), std::move(statement)).first;
    }
    // A wrong number of parameters is a mistake of ours, and SQLite would silently take the missing ones for NULL.
    ASSERT(found->second->getBindParameterCount() == static_cast<int>(parameters.size()));
    int index = 1;
    for (Value const& parameter : parameters) {
      bind(*found->second, index++, parameter);
    }
    return *found->second;
  }

  SQLite::Database sqlite;
  std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>> kept;
};

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

base::Result<std::unique_ptr<Connection>> Connection::open(std::string const& path) {
  std::unique_ptr<State> state;
  try {
    state = std::make_unique<State>(path);
  } catch (SQLite::Exception const& problem) {
    return base::fail(errc::cannot_open, path + ": " + problem.what());
  }
  std::unique_ptr<Connection> connection(new Connection(std::move(state)));
  if (auto configured = connection->configure(); configured.has_error()) {
    base::Failure const& failure = configured.error();
    if (connection->state_->sqlite.getErrorCode() == SQLITE_NOTADB) {
      return base::fail(errc::cannot_open, path + " is not a SQLite database");
    }
    return base::Failure{failure.code, path + ": " + failure.detail};
  }
  auto checked = connection->query("PRAGMA quick_check(1)");
  if (checked.has_error()) {
    return base::fail(errc::corrupt, path + ": " + checked.error().detail);
  }
  std::string const verdict = checked->empty() ? "no answer" : text(checked->front().front());
  if (verdict != "ok") {
    return base::fail(errc::corrupt, path + ": " + verdict);
  }
  return connection;
}

base::Result<void> Connection::configure() {
  // The first statement that touches the file is also the one that finds out whether it is a database.
  for (std::string_view const pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                                        "PRAGMA recursive_triggers=ON"}) {
    if (auto done = query(pragma); done.has_error()) {
      return done.error();
    }
  }
  return {};
}

base::Result<void> Connection::still_there() {
  int moved = 0;
  int const asked =
      sqlite3_file_control(state_->sqlite.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, static_cast<void*>(&moved));
  if (asked != SQLITE_OK) {
    return {};  // a store in memory has no file
  }
  std::string const& path = state_->sqlite.getFilename();
  if (moved != 0) {
    return base::fail(errc::gone,
                      path + " was removed, moved or replaced; put it back and restart, nothing was written");
  }
  if (!path.empty() && ::access((path + "-wal").c_str(), F_OK) != 0) {
    return base::fail(errc::gone, path + "-wal was removed; restart, nothing was written");
  }
  return {};
}

base::Result<Rows> Connection::query(std::string_view sql, std::vector<Value> const& parameters) {
  Rows rows;
  auto const done = for_each(sql, parameters, [&rows](Row const& row) { rows.push_back(row); });
  return done ? base::Result<Rows>(std::move(rows)) : done.error();
}

base::Result<void> Connection::for_each(std::string_view sql, std::vector<Value> const& parameters,
                                        std::function<void(Row const&)> const& visit) {
  try {
    SQLite::Statement& statement = state_->prepared(sql, parameters);
    Rewind const rewind(statement);
    Row row;
    while (statement.executeStep()) {
      row.resize(static_cast<std::size_t>(statement.getColumnCount()));
      for (int column = 0; column < statement.getColumnCount(); ++column) {
        row[static_cast<std::size_t>(column)] = value_of(statement.getColumn(column));
      }
      visit(row);
    }
    return {};
  } catch (SQLite::Exception const& problem) {
    return failure_of(problem, sql);
  }
}

base::Result<std::int64_t> Connection::execute(std::string_view sql, std::vector<Value> const& parameters) {
  try {
    SQLite::Statement& statement = state_->prepared(sql, parameters);
    Rewind const rewind(statement);
    std::int64_t const before = total_changes();
    while (statement.executeStep()) {
    }
    // sqlite3_changes keeps the number of the last writing statement, so a statement that wrote nothing is told apart.
    return total_changes() == before ? 0 : std::int64_t{statement.getChanges()};
  } catch (SQLite::Exception const& problem) {
    return failure_of(problem, sql);
  }
}

base::Result<void> Connection::script(std::string_view sql) {
  try {
    state_->sqlite.exec(std::string(sql));
    return {};
  } catch (SQLite::Exception const& problem) {
    return failure_of(problem, sql);
  }
}

std::int64_t Connection::last_insert_id() const {
  return state_->sqlite.getLastInsertRowid();
}

std::int64_t Connection::total_changes() const {
  return sqlite3_total_changes64(state_->sqlite.getHandle());
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(state_->sqlite.getHandle()) == 0;
}

base::Result<void> Connection::set_enforcement(bool triggers_and_foreign_keys) {
  ASSERT(!in_transaction());
  int const wanted = triggers_and_foreign_keys ? 1 : 0;
  sqlite3* const handle = state_->sqlite.getHandle();
  for (int const option : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_FKEY}) {
    int now = -1;
    if (sqlite3_db_config(handle, option, wanted, &now) != SQLITE_OK || now != wanted) {
      return base::fail(errc::failed, "SQLite did not switch triggers or foreign keys");
    }
  }
  return {};
}

std::string quoted(std::string_view identifier) {
  std::string out = "\"";
  for (char const letter : identifier) {
    out += letter;
    if (letter == '"') {
      out += '"';
    }
  }
  return out + "\"";
}

}  // namespace database
