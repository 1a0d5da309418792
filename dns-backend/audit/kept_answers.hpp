// Answers to requests that carried an Idempotency-Key and changed something: the same request gets the same answer for
// a day, as long as it is one of its actor's newest thousand. Of one with a large body is kept that it was done.
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
inline constexpr std::int64_t answers_max = 1000;           // of one actor
inline constexpr std::size_t answer_body_max = 16U << 10U;  // octets

struct KeptAnswer {
  std::string actor;
  std::string key;
  std::string request;  // digest of method, target, If-Match and body
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::int64_t at_ms = 0;
};

// The status of an answer that is not there: it was lost with the process that made it, and what was asked was done, at
// least in part; or, when there is a body, that says why.
inline constexpr int answer_lost = 0;

// nullopt: none that is younger than a day. One that is under way though nobody works at it any more is a lost one.
net::Task<base::Result<std::optional<KeptAnswer>>> find_answer(database::StoreThread& thread, std::string actor,
                                                               std::string key, std::int64_t now_ms);
// Within somebody's transaction; removes what is older than a day on the way, and the actor's oldest a hundred at a
// time.
base::Result<void> keep_row(database::Transaction& transaction, KeptAnswer const& answer);

}  // namespace audit
