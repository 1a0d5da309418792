// Reading the change log for followers, and writing what a follower received. Private to base/database.
//
// Threads: runs on the thread that owns the connection.
#pragma once

#include "base/database/schema.hpp"

#include <vector>

namespace database {

// What changed in (from, to], each row once with its present content.
base::Result<Changes> read_log(Connection& connection, std::vector<Table> const& tables, Revision from, Revision to);

// The newest revision such that (from, that] has at most `rows_max` log rows; always at least one revision.
base::Result<Revision> last_whole_revision(Connection& connection, Revision from, Revision newest,
                                           std::size_t rows_max);

// Every row of every replicated table.
base::Result<Changes> read_everything(Connection& connection, std::vector<Table> const& tables, Revision at);

// Inside a transaction with enforcement off (Connection::set_enforcement): rows and the log they leave for followers of
// this follower. errc::failed for a table or column this program does not know.
base::Result<void> write_changes(Connection& connection, std::vector<Table> const& tables, Changes const& changes);

}  // namespace database
