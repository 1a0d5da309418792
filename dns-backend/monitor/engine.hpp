// The inside of a Monitor: its endpoints, the probes they share, and what is due when. Private to this module.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/monitor/monitor.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <random>
#include <set>
#include <utility>

namespace monitor {

struct Endpoint;

// Something with a place in the agenda.
struct Timed {
  enum class Kind : std::uint8_t { probe, override_end };
  enum class Place : std::uint8_t { none, agenda, waiting };
  explicit Timed(Kind what) : kind(what) {}
  probe::Time at;
  Kind kind;
  Place place = Place::none;
};

// What is checked; for Type::push, whose silence is waited for.
struct RunningProbe : Timed {
  RunningProbe(probe::Check wanted, std::chrono::milliseconds every)
      : Timed(Kind::probe), check(std::move(wanted)), interval(every) {}
  [[nodiscard]] bool is_push() const { return check.type == probe::Type::push; }

  probe::Check const check;
  std::chrono::milliseconds const interval;
  Probe run;
  std::vector<Endpoint*> endpoints;
  std::chrono::milliseconds gap{0};  // until the next check; 0: there was none yet
  bool may_keep = false;             // counted in kept_connections
  bool running = false;
  bool stopped = false;
};
using RunningProbePtr = std::shared_ptr<RunningProbe>;

struct Endpoint : Timed {
  Endpoint(Watch const& watch, EndpointState initial)
      : Timed(Kind::override_end), name(watch.endpoint), slot(watch.slot), state(std::move(initial)) {}
  std::string name;
  std::uint32_t slot;
  EndpointState state;
  RecentChecks recent;
  RunningProbePtr probe;
  std::int64_t observed_since_ms = 0;
  std::int64_t changed_at_ms = 0;
  std::uint64_t sequence = 0;  // of its last report
};

struct Flip {
  std::string endpoint;
  probe::Transition transition;
  std::string reason;
};

struct Monitor::State : std::enable_shared_from_this<Monitor::State> {
  State(net::asio::any_io_executor owner, pool::HealthTable& health, Listener heard, std::vector<Warm> warm,
        Prober made, Limits wanted);

  // --- the wanted set ---
  void add(Watch const& watch, Instant now, probe::Time first);
  void restore(Endpoint& endpoint, Warm const& warm, Instant now);
  void update(Endpoint& endpoint, Watch const& watch, Instant now);
  void remove(Endpoint& endpoint);
  // `first`: when its probe is checked first, if it has none to share.
  void attach(Endpoint& endpoint, Watch const& watch, Instant now, probe::Time first);
  void detach(Endpoint& endpoint);
  void force(Endpoint& endpoint, Override const& order, Instant now);

  // --- the agenda ---
  using Agenda = std::set<std::pair<probe::Time, Timed*>>;
  void list(Timed& item, probe::Time at);
  void unlist(Timed& item);
  void arm();
  void run_due();
  void start_or_wait(RunningProbe& probe);

  // --- checks ---
  void start(RunningProbePtr probe);
  static net::Task<void> check(std::shared_ptr<State> state, RunningProbePtr probe);
  void finish(RunningProbe& probe, probe::Verdict const& verdict, probe::Time began);
  void record(Endpoint& endpoint, probe::Verdict const& verdict, Instant now);
  void silence(RunningProbe& probe, Instant now);
  void note_observed(Endpoint const& endpoint);
  void publish(Endpoint& endpoint, std::optional<probe::Transition> transition, std::string const& reason, Instant now);
  void tell_listener();

  struct ByCheck {
    using is_transparent = void;
    using Key = std::pair<probe::Check const&, std::chrono::milliseconds>;
    static bool less(Key const& a, Key const& b) {
      return a.second != b.second ? a.second < b.second : a.first < b.first;
    }
    static Key key(RunningProbePtr const& probe) { return {probe->check, probe->interval}; }
    static Key key(Watch const& watch) { return {watch.check, watch.interval}; }
    template <class A, class B>
    bool operator()(A const& a, B const& b) const {
      return less(key(a), key(b));
    }
  };

  net::asio::any_io_executor executor;
  pool::HealthTable& table;
  Listener listener;
  Prober prober;
  Limits limits;
  std::map<std::string, Warm> before;  // the restart
  std::map<std::string, std::unique_ptr<Endpoint>> endpoints;
  std::set<RunningProbePtr, ByCheck> shared;  // all but the push ones, of which none is shared
  Agenda agenda;
  Agenda waiting;  // due, in their order
  net::asio::steady_timer timer;
  std::optional<probe::Time> armed;
  std::vector<Flip> flips;  // not told yet
  Observer observer;        // set: the checks do not decide
  Reached reached;
  std::map<std::string, probe::Health> observed;  // not told to it yet
  std::minstd_rand random{std::random_device{}()};
  std::size_t in_flight = 0;
  std::size_t keeping = 0;
  std::uint64_t checks = 0;
  std::uint64_t refused = 0;
  std::uint32_t latest_permille = 0;
  bool stopped = false;
};

[[nodiscard]] Instant this_instant();

// When the `index`th of `count` new watches is checked first, after now: the first `at_once` of them immediately, the
// others evenly over half of their interval, so that the loop has room for everything else. Pure.
[[nodiscard]] std::chrono::microseconds first_delay(std::size_t index, std::size_t count, std::size_t at_once,
                                                    std::chrono::milliseconds interval);

// The next multiple of a 500th of the interval, at most 10 ms: what is due together needs one wake-up. Pure.
[[nodiscard]] probe::Time on_the_beat(probe::Time at, std::chrono::milliseconds interval);

}  // namespace monitor
