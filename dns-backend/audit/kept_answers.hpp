// Answers to requests that carried an Idempotency-Key and changed something: the same request gets the same answer for
// a day.
//
// Threads: coroutines may be awaited from any loop; keep_row() is the store thread's.
#pragma once

#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audit {

inline constexpr std::int64_t answers_kept_ms = 24LL * 3600 * 1000;

struct KeptAnswer {
  std::string actor;
  std::string key;
  std::string request;  // digest of method, target, If-Match and body
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::int64_t at_ms = 0;
};

// The status of an answer that was lost with the process that made it: what was asked was done, at least in part.
inline constexpr int answer_lost = 0;

// nullopt: none that is younger than a day. One that is under way though nobody works at it any more is a lost one.
net::Task<base::Result<std::optional<KeptAnswer>>> find_answer(database::StoreThread& thread, std::string actor,
                                                               std::string key, std::int64_t now_ms);
// Within somebody's transaction; removes what is older than a day on the way.
base::Result<void> keep_row(database::Transaction& transaction, KeptAnswer const& answer);

}  // namespace audit
