// Runs the checks of every endpoint and writes verdicts into the HealthTable.
//
// Jittered intervals, at most 256 probes in flight, one deadline each; the rest wait in the order they came. A
// transition is one atomic store, then the listener is called (log, purge, metrics).
//
// The first check of a watch starts at once. Its state begins with what the table says, so a health that main()
// restored from before a restart is warm: it takes the full threshold to change it.
//
// Threads: one object on the control loop.
#pragma once

#include "base/net/task.hpp"
#include "base/probe/probe.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/pool/pool.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pool {

struct Watch {
  std::string endpoint;  // name, key of the table
  std::uint32_t slot = 0;
  probe::Check check;
  std::chrono::milliseconds interval{5000};
  probe::Thresholds thresholds;
  bool operator==(Watch const&) const = default;
};

struct EndpointStatus {
  std::string endpoint;
  probe::Health health = probe::Health::unknown;
  std::string reason;  // of the last check
  std::chrono::microseconds elapsed{0};
  std::int64_t checked_at_ms = 0;  // wall clock, 0: never
  std::int64_t changed_at_ms = 0;
  unsigned checks_to_change = 1;
};

class Monitor {
 public:
  using Listener = std::function<void(std::string endpoint, probe::Transition, std::string reason)>;
  using Prober = std::function<net::Task<probe::Verdict>(probe::Check)>;
  static constexpr std::size_t in_flight_max = 256;

  // `table` must outlive the monitor. `prober` is what performs a check; tests bring their own.
  Monitor(net::asio::any_io_executor executor, HealthTable& table, Listener listener, Prober prober = probe::run);
  // Stops every check: the listener is not called again. A probe in flight ends by its own deadline, unheard.
  ~Monitor();
  Monitor(Monitor const&) = delete;
  Monitor& operator=(Monitor const&) = delete;

  // Wanted set of checks, by endpoint name: what is new starts, what is unchanged is not touched, what has another
  // check, interval or threshold keeps its health and is checked at once, and what is gone stops and turns unknown. Of
  // two watches of the same name the last one counts. May be called from the listener.
  void watch(std::vector<Watch> const& wanted);
  [[nodiscard]] std::vector<EndpointStatus> status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The wait before the next check: the interval, less or more up to a tenth by `random`, so that the checks of a
// thousand endpoints do not march in step. Pure.
[[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds interval, std::uint32_t random);

}  // namespace pool
