// What is still to be done about a tenant after its change was committed: written in the same transaction, done in
// order, tried until it succeeds.
//
// ensure: every site answers the label. retire: a former label's time is over and the present one is everywhere.
// withdraw: a tenant is gone from every site, so that what is left of it can go.
//
// Threads: backoff() is pure; the rest the store thread.
#pragma once

#include "dns-backend/writes/write.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenants {

struct Intent {
  std::int64_t id = 0;
  std::int64_t tenant_id = 0;
  std::string kind;
  std::string label;
  database::Revision revision = 0;
  std::int64_t not_before_ms = 0;
  std::int64_t next_ms = 0;
  std::int64_t attempts = 0;
  std::string last_error;
};

// Alarm once an intent failed so often.
inline constexpr std::int64_t attempts_alarm = 12;

// 2 s, doubled with each attempt, an hour at most.
std::int64_t backoff_ms(std::int64_t attempts);

base::Result<void> note(store::Write const& write, std::int64_t tenant_id, std::string_view kind,
                        std::string const& label, std::int64_t not_before_ms = 0);

// Of each tenant the oldest one whose time has come, unless its next attempt is later; at most `most`. One that fails
// holds up those behind it; one whose time has not come holds up nothing.
base::Result<std::vector<Intent>> due(database::Database& database, std::int64_t now_ms, std::size_t most);
base::Result<std::int64_t> stuck(database::Database& database);  // that failed attempts_alarm times or more
base::Result<std::vector<Intent>> pending(database::Database& database, std::int64_t tenant_id);

// Empty, or the site that has not acknowledged the revision.
using Lagging = std::function<std::string(database::Revision)>;

// Does it and takes it off the journal, or notes why it cannot be done yet and when to try again.
base::Result<void> attempt(store::Write const& write, Intent const& intent, Lagging const& lagging,
                           std::int64_t now_ms);
// The same after an attempt that failed altogether: its transaction is gone, this is another.
base::Result<void> postpone(store::Write const& write, Intent const& intent, std::string const& why,
                            std::int64_t now_ms);

// Compares what should be with what is, for what the journal lost: writes the missing intents and removes rows of
// tenants that are gone. `repaired` counts them; a second pass finds nothing.
base::Result<void> repair(store::Write const& write, std::size_t& repaired);

}  // namespace tenants
