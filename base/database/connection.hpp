// One SQLite connection as this project uses it: statements with parameters in, rows or a Failure out. Private to
// base/database; everybody else starts at database.hpp.
//
// connection.cpp is the only file that includes SQLiteCpp; its exceptions end there. Prepared statements are kept (at
// most 256), so that a statement written in one place of the program is parsed once.
//
// Threads: belongs to one thread at a time.
#pragma once

#include "base/database/database.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace database {

class Connection {
 public:
  // Opens or creates the file and sets WAL, synchronous=FULL, foreign keys, recursive triggers (so that a row displaced
  // by REPLACE is noticed) and a busy timeout of 5 s. cannot_open when it is no database or cannot be created; corrupt
  // when PRAGMA quick_check finds damage.
  static base::Result<std::unique_ptr<Connection>> open(std::string const& path);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  base::Result<Rows> query(std::string_view sql, std::vector<Value> const& parameters = {});
  // As query(), a row at a time; what visit is given stays good during the call.
  base::Result<void> for_each(std::string_view sql, std::vector<Value> const& parameters,
                              std::function<void(Row const&)> const& visit);
  // Number of rows changed by this statement alone (not by its triggers).
  base::Result<std::int64_t> execute(std::string_view sql, std::vector<Value> const& parameters = {});
  // Several statements separated by semicolons, without parameters.
  base::Result<void> script(std::string_view sql);

  [[nodiscard]] std::int64_t last_insert_id() const;
  // Rows changed since the connection was opened, by whatever means.
  [[nodiscard]] std::int64_t total_changes() const;
  // False also after SQLite itself rolled a transaction back (disk full, input/output error).
  [[nodiscard]] bool in_transaction() const;
  // errc::gone when the path no longer leads to the file that is open, or its write-ahead log was removed: SQLite would
  // go on writing to what nobody finds again. For an open transaction.
  base::Result<void> still_there();
  // Turns triggers and foreign key enforcement (with its cascades) on or off; only outside a transaction.
  base::Result<void> set_enforcement(bool triggers_and_foreign_keys);

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  base::Result<void> configure();
  std::unique_ptr<State> state_;
};

// A column name, table name or trigger name as SQL writes it: "name" with inner quotes doubled.
[[nodiscard]] std::string quoted(std::string_view identifier);

}  // namespace database
