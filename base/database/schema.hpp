// Brings a file to the schema of this program: meta tables, migrations of every module, change-log triggers. Private to
// base/database.
//
// Threads: runs on the thread that owns the connection.
#pragma once

#include "base/database/connection.hpp"

#include <span>
#include <string>
#include <vector>

namespace database {

// A replicated table as the file has it after the migrations.
struct Table {
  std::string name;
  std::vector<std::string> key;      // primary key columns, in the order the module declared
  std::vector<std::string> columns;  // all stored columns, in table order
};

// Refuses a newer file (errc::newer). Migrates an older one in one transaction after leaving a copy beside it; `path`
// is empty for a database in memory, which has no copy. A migrated file gets a new history id, so that every follower
// starts over: a migration may rewrite rows without the triggers seeing it.
base::Result<std::vector<Table>> bring_up_to_date(Connection& connection, std::string const& path,
                                                  std::vector<Schema> const& schemas);

// The triggers that write the change log for one table, as (name, CREATE TRIGGER statement). Pure.
std::vector<std::pair<std::string, std::string>> change_triggers(Table const& table);

}  // namespace database
