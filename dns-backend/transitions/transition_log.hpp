// Every change of an endpoint's health, kept in the store for as long as an operator asks about it.
//
// Rows are this machine's own: they are not replicated and raise no revision. Writing goes in batches behind the
// monitors, so that a slow disk delays no flip; what cannot be written waits (10,000 of them), then the oldest go and
// are counted (navigator_transitions_lost_total).
//
// Threads: one object on the control loop; the work runs on the store thread.
#pragma once

#include "base/net/task.hpp"
#include "base/probe/health_state.hpp"
#include "base/process/metrics.hpp"
#include "base/store_thread/store_thread.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace transitions {

struct Transition {
  std::int64_t id = 0;     // rises; given when it is written
  std::int64_t at_ms = 0;  // wall clock
  std::string endpoint;
  probe::Health from = probe::Health::unknown;
  probe::Health to = probe::Health::unknown;
  std::string reason;      // the check's, or the operator's
  std::string decided_by;  // "checks", "sites: nyc, sin", "operator"
};

struct LogSettings {
  std::chrono::hours kept{24 * 30};
  std::int64_t rows_max = 1'000'000;
  std::size_t waiting_max = 10'000;
  std::chrono::milliseconds first_retry{200};
  std::chrono::milliseconds last_retry{10'000};
};

struct Query {
  std::string endpoint;        // empty: of all
  std::int64_t before_id = 0;  // only older ones than this; 0: from the newest
  std::int64_t since_ms = 0;   // not before this time
  std::int64_t limit = 100;    // at most 1,000
};

database::Schema schema();

class TransitionLog {
 public:
  // `thread` must outlive it.
  TransitionLog(net::asio::any_io_executor executor, database::StoreThread& thread, LogSettings settings,
                process::Metrics& metrics);
  // What still waits is given up.
  ~TransitionLog();
  TransitionLog(TransitionLog const&) = delete;
  TransitionLog& operator=(TransitionLog const&) = delete;

  void add(Transition transition);
  // Newest first. Failures: database::errc.
  net::Task<base::Result<std::vector<Transition>>> recent(Query query);
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace transitions
