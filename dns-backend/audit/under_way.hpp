// Requests that changed something and are not answered yet.
//
// A row of each is written in the transaction of its change (base/store_thread/accompaniment.hpp). Its end is one
// transaction too: the row goes, the audit log's and the kept answer come. So whatever moment a process ends in, a
// change is in the log, and a request with an Idempotency-Key is not done twice: what is found at the next start gets
// its row of the log with status 0, and a repeat hears that the answer is lost.
//
// Threads: coroutines may be awaited from any loop; companion_of() is pure.
#pragma once

#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"
#include "dns-backend/audit/audit.hpp"
#include "dns-backend/audit/kept_answers.hpp"

#include <memory>
#include <optional>
#include <string>

namespace audit {

struct UnderWay {
  Entry entry;          // its status and detail are not known yet
  bool audited = true;  // false: the log gets no row of it
  std::string key;      // Idempotency-Key; empty: none
  std::string request;  // digest of method, target, If-Match and body
};

// To be carried by whatever the request does.
std::shared_ptr<database::Companion> companion_of(UnderWay about);

// What is left to say of a request that was answered.
struct Ending {
  std::string request_id;
  std::optional<Entry> entry;
  std::optional<KeptAnswer> answer;
};
net::Task<base::Result<void>> finish(database::StoreThread& thread, Ending ending);

// At the start, before anything is asked: how many were found and written down.
net::Task<base::Result<std::int64_t>> recover(database::StoreThread& thread);

}  // namespace audit
