// The store every module shares: one SQLite file, one revision counter, one change log.
//
// Each module brings its own migrations and declares which of its tables are replicated. A commit that touched a
// replicated table raises the revision by one and leaves one change-log row per touched row (triggers do that, so no
// module can forget). Followers ask for changes since a revision and apply them with `apply_changes`.
//
// WAL, foreign keys on, synchronous=FULL: what `write` returned as committed survives kill -9 and power loss. The
// file is locked by one process through `<file>.lock` (the Failure of `open` names the holder's pid). A file made by a
// newer version is refused; an older one is migrated in one transaction, and a copy `<file>.before-<module>-<version>`
// (the version it went to) is kept.
//
// A *history* is a random id that says which sequence of revisions this is. A revision means something only within its
// history: a follower whose history differs takes a complete copy and adopts the name. Migrations begin a new history.
//
// SQLiteCpp is included in connection.cpp only; its exceptions end there.
//
// Threads: a Database belongs to one thread (the store thread; see base/store_thread).
#pragma once

#include "base/result/result.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace database {

enum class errc {
  cannot_open = 1,  // missing folder, permission, not a database
  locked,           // another process holds the store; detail names its pid
  newer,            // written by a newer version of this program
  corrupt,          // SQLite says so
  constraint,       // unique, foreign key, check: the detail names it
  full,             // disk full
  gone,             // the file was removed, moved or replaced while it was open: nothing was written
  failed,           // anything else SQLite reports
};
boost::system::error_code make_error_code(errc code);

using Revision = std::int64_t;
using Blob = std::vector<std::uint8_t>;
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;
using Row = std::vector<Value>;  // in the order of the SELECT's columns
using Rows = std::vector<Row>;

[[nodiscard]] std::int64_t integer(Value const& value);     // 0 for NULL
[[nodiscard]] std::string const& text(Value const& value);  // "" for NULL; ASSERTs on a number
// Empty for NULL. Where somebody put something else into the file by hand: one octet 0, which nothing of ours begins
// with, so that whoever reads it refuses that one row.
[[nodiscard]] Blob const& blob(Value const& value);

struct Migration {
  int version;           // 1, 2, ... within the module
  std::string_view sql;  // statements, separated by semicolons
};

struct Schema {
  std::string module;  // "store", "acme"
  std::vector<Migration> migrations;
  struct Replicated {
    std::string table;
    std::vector<std::string> key;  // primary key columns, INTEGER or TEXT
  };
  std::vector<Replicated> replicated;  // tables that followers receive; nothing secret is ever among them
};

// One changed row. `values` is empty when the row is gone. Keys are in declared order, values in the table's column
// order. `values` is the row's content when the changes were asked for, not when the revision was made: a row that
// changes again later is in a later batch again, and the follower that has read up to the newest revision equals the
// primary.
struct Change {
  Revision revision = 0;  // the newest one of this batch that touched the row
  std::string table;
  std::vector<std::pair<std::string, Value>> key;
  std::vector<std::pair<std::string, Value>> values;
};

struct Changes {
  Revision from = 0;      // exclusive; 0 with `complete` means a full copy
  Revision to = 0;        // inclusive
  bool complete = false;  // true: replaces everything the follower has
  std::vector<Change> rows;
  std::string history;  // of the database that was asked
};

class Transaction;

// What is written in the transaction of somebody else's first write that commits.
//
// Threads: take_leave() and committed() any; the rest the database's.
class Companion {
 public:
  explicit Companion(std::function<base::Result<void>(Transaction&)> write) : write_(std::move(write)) {}
  // Nothing is written from now on.
  void take_leave() { left_.store(true, std::memory_order_release); }
  [[nodiscard]] bool committed() const { return committed_.load(std::memory_order_acquire); }

 private:
  friend class Database;
  std::function<base::Result<void>(Transaction&)> write_;
  std::atomic<bool> left_{false};
  std::atomic<bool> committed_{false};
};

class Database {
 public:
  // `url` is "sqlite:///var/lib/navigator/navigator.db"; ":memory:" after the scheme is allowed in tests.
  static base::Result<std::unique_ptr<Database>> open(std::string const& url, std::vector<Schema> const& schemas);
  ~Database();
  Database(Database const&) = delete;
  Database& operator=(Database const&) = delete;

  // Outside a transaction; sees the last commit. For reading only: ASSERTs that nothing was written.
  base::Result<Rows> query(std::string_view sql, std::vector<Value> const& parameters = {});
  // As query() for results too large to hold at once: `visit` gets each row, which stays good during that call.
  base::Result<void> for_each(std::string_view sql, std::vector<Value> const& parameters,
                              std::function<void(Row const&)> const& visit);

  // Runs `body` inside BEGIN IMMEDIATE. A failure rolls back and is returned; success commits and yields the revision
  // (unchanged when no replicated row changed; writing a row's present content is no change). Not to be nested.
  base::Result<Revision> write(std::function<base::Result<void>(Transaction&)> const& body);

  // Until the next call it goes along with write(): runs after the body, and its failure is the write's. nullptr: none.
  void accompany(std::shared_ptr<Companion> companion);

  [[nodiscard]] Revision revision() const;

  [[nodiscard]] std::string const& history() const;

  // At most `rows_max` rows but always whole revisions (a single larger one comes as it is). A complete copy, whatever
  // its size, when the log does not reach back to `since`, when `since` is above the revision, or when `history` is
  // given and is not this database's.
  base::Result<Changes> changes_since(Revision since, std::size_t rows_max, std::string_view history = {});

  // A follower's side: one transaction; the revision becomes changes.to and the history the primary's. Changes that end
  // at or before the present revision are ignored (so repeats do nothing); others must begin exactly at it, a fresh
  // database being at 0, or errc::failed says what is missing. Triggers and foreign keys rest meanwhile: the rows were
  // checked where they were written, and a cascade here would remove what the primary kept.
  base::Result<void> apply_changes(Changes const& changes);

  // Called after each commit (or applied changes) that raised the revision, on the calling thread, with what changed.
  void on_commit(std::function<void(Changes const&)> listener);

  // Drops change-log rows older than the newest `keep` revisions.
  base::Result<void> trim_log(Revision keep);

 private:
  friend class Transaction;
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Transaction {
 public:
  base::Result<Rows> query(std::string_view sql, std::vector<Value> const& parameters = {});
  // Number of rows changed.
  base::Result<std::int64_t> execute(std::string_view sql, std::vector<Value> const& parameters = {});
  [[nodiscard]] std::int64_t last_insert_id() const;

 private:
  friend class Database;
  explicit Transaction(Database::State& state) : state_(state) {}
  Database::State& state_;
};

}  // namespace database

template <>
struct boost::system::is_error_code_enum<database::errc> : std::true_type {};
