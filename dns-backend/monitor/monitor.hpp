// Runs the checks of every endpoint, takes the reports of those that push, and writes the outcome into the HealthTable.
//
// Watches with an equal check and interval share one running probe; each has its own thresholds, slot and override. A
// check starts an interval after the one before it began, less or more up to a tenth (jitter); the first pause is a
// random part of the interval, so that a thousand endpoints watched at once do not march in step. At most
// Limits::in_flight checks run at a time, one deadline each; the rest wait in the order in which they are due.
//
// What goes into the table is the *effective* health: an operator's override above what the checks say. It is stored
// first, then the listener is called (log, purge, metrics). After each check the table also learns for how long no
// check can change the health (HealthTable::set_stable).
//
// Threads: one object on the control loop.
#pragma once

#include "base/net/task.hpp"
#include "base/probe/probe.hpp"
#include "dns-backend/monitor/endpoint_state.hpp"
#include "dns-backend/monitor/recent_checks.hpp"
#include "dns-backend/monitor/report.hpp"
#include "dns-backend/monitor/warm.hpp"
#include "dns-backend/pool/health_table.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace monitor {

struct Watch {
  std::string endpoint;  // name, key of the table
  std::uint32_t slot = 0;
  probe::Check check;  // Type::push: the endpoint reports by itself, and silence is a failed check
  std::chrono::milliseconds interval{5000};
  probe::Thresholds thresholds;
  Override override = {};
};

struct EndpointStatus {
  std::string endpoint;
  probe::Health observed = probe::Health::unknown;   // what the checks say
  probe::Health effective = probe::Health::unknown;  // what is in the table
  Forced override = Forced::none;
  std::int64_t override_until_ms = 0;  // Unix time; 0: until it is taken back
  std::string override_reason;
  std::string reason;   // of the last check
  std::string warning;  // of the last check
  std::chrono::microseconds elapsed{0};
  std::int64_t checked_at_ms = 0;  // Unix time, 0: never
  std::int64_t changed_at_ms = 0;  // of the effective health
  unsigned checks_to_change = 1;
  std::vector<CheckRecord> checks;  // the last ten, newest first
};

struct Limits {
  std::size_t in_flight = 256;         // checks under way
  std::size_t kept_connections = 256;  // of http(s) checks at most 30 s apart
};

// What the monitor does and did.
struct Work {
  std::uint64_t checks = 0;  // that ended
  std::size_t probes = 0;    // after sharing
  std::size_t in_flight = 0;
  std::size_t waiting = 0;                  // due, but in_flight is full
  std::uint32_t latest_start_permille = 0;  // of its interval, since the last call of work()
};

// One check, again and again; and what makes it from a Check. `keep_connection`: it may keep its connection meanwhile.
using Probe = std::function<net::Task<probe::Verdict>()>;
using Prober = std::function<Probe(probe::Check const& check, bool keep_connection)>;
Probe make_session(probe::Check const& check, bool keep_connection);  // a probe::Session

class Monitor {
 public:
  using Listener = std::function<void(std::string endpoint, probe::Transition, std::string reason)>;

  // `table` must outlive the monitor. `warm`: what was known before a restart; it counts for the first watch of its
  // name.
  Monitor(net::asio::any_io_executor executor, pool::HealthTable& table, Listener listener, std::vector<Warm> warm = {},
          Prober prober = make_session, Limits limits = {});
  // Stops every check: neither the table nor the listener is touched again. A probe in flight ends by its own deadline,
  // unheard. The table keeps its last values.
  ~Monitor();
  Monitor(Monitor const&) = delete;
  Monitor& operator=(Monitor const&) = delete;

  // Wanted set of watches, by endpoint name; of two of the same name the last one counts. May be called from the
  // listener.
  // - What is new starts: from its warm state, or else from the health the table has for its slot, which then takes the
  //   full threshold to change; it is checked at once; of more than
  //   Limits::in_flight new ones the rest are spread over half of their interval. A pushed one has interval + timeout
  //   to send its first report.
  // - What is unchanged is not touched.
  // - What has another check, interval, threshold or slot keeps its observed health and is checked at once; a former
  // slot
  //   turns unknown.
  // - What has another override changes its effective health at once, and its checks go on.
  // - What is gone stops, and its slot turns unknown, without a call of the listener.
  void watch(std::vector<Watch> const& wanted);

  // From now on what the checks say is only told to `observer`, at once for what is known and then at each change; what
  // judge() is told counts instead. Before watch(). `reached` is told of each check that succeeds, and may not call the
  // monitor.
  using Observer = std::function<void(std::string const& endpoint, probe::Health observed)>;
  using Reached = std::function<void(std::string const& endpoint)>;
  void observe_only(Observer observer, Reached reached = {});
  // What several sites decided of an endpoint; one that is not watched is passed over. May be called from the observer.
  // `stable_s_max`: what of it is promised at most, in seconds, however long the checks here cannot change it.
  void judge(std::string const& endpoint, probe::Health decided, std::string const& reason,
             std::uint32_t stable_s_max = pool::HealthTable::stable_unknown);

  // What the sites decided of it last, before a restart too; unknown: nothing yet.
  [[nodiscard]] probe::Health decided(std::string const& endpoint) const;

  // What a pushed endpoint says about itself: one check. Silence longer than interval + timeout counts as one failed
  // check, and as another one each further interval. A refused report changes nothing and is counted, unless it came
  // by way of another site: that one may bring what came here already, or what is not watched here yet.
  base::Result<void> report(std::string const& endpoint, Report const& report, Via via = Via::endpoint);
  [[nodiscard]] std::uint64_t refused_reports() const;

  [[nodiscard]] std::vector<EndpointStatus> status() const;
  [[nodiscard]] std::optional<EndpointStatus> status(std::string const& endpoint) const;
  // Endpoints whose effective health is unknown until a probe of them ends; pushed ones are waited for by nobody.
  [[nodiscard]] std::size_t unknown_count() const;
  [[nodiscard]] std::vector<Warm> save() const;  // of the endpoints of which anything is known
  [[nodiscard]] Work work();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The wait before the next check: the interval, less or more up to a tenth by `random`. Pure.
[[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds interval, std::uint32_t random);

// The wait after the first check: between a tenth of the interval and the whole of it. Pure.
[[nodiscard]] std::chrono::milliseconds first_pause(std::chrono::milliseconds interval, std::uint32_t random);

}  // namespace monitor
