// Who changed what, when, from where, and what came of it. A row comes with its change (under_way.hpp). Append-only:
// the database refuses changes of a row, and removal before it is 400 days old.
//
// Threads: coroutines may be awaited from any loop; add_row() is the store thread's.
#pragma once

#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace audit {

struct Entry {
  std::int64_t id = 0;
  std::int64_t at_ms = 0;
  std::string actor;           // "unix", "certificate:NAME", "token:ID"
  std::int64_t tenant_id = 0;  // of the actor; 0: an administrator
  std::string source;          // from where
  std::string method;
  std::string target;
  int status = 0;  // 0: the process ended before its answer (under_way.hpp)
  std::string request_id;
  std::string detail;  // of a refusal
};

struct Question {
  std::int64_t tenant_id = -1;  // -1: everybody's
  std::int64_t before_id = 0;   // 0: from the newest
  std::int64_t limit = 100;
};

// Within somebody's transaction.
base::Result<void> add_row(database::Transaction& transaction, Entry const& entry);
// The newest first.
net::Task<base::Result<std::vector<Entry>>> read(database::StoreThread& thread, Question question);
// Rows that are old enough to go.
net::Task<base::Result<void>> trim(database::StoreThread& thread, std::int64_t now_ms);

}  // namespace audit
