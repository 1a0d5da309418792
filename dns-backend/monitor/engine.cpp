#include "dns-backend/monitor/engine.hpp"

#include <algorithm>
#include <exception>

namespace monitor {
namespace {

using std::chrono::milliseconds;

// A kept connection is idle for an interval; targets and middleboxes forget it after about a minute.
constexpr milliseconds keep_interval_max{30'000};
// The wall clock may be set meanwhile, and an end far away must not overflow the steady one.
constexpr milliseconds look_again_in = std::chrono::hours(1);

}  // namespace

Instant this_instant() {
  auto const wall = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::steady_clock::now(), std::chrono::duration_cast<milliseconds>(wall).count()};
}

std::chrono::microseconds first_delay(std::size_t index, std::size_t count, std::size_t at_once,
                                      milliseconds interval) {
  if (index < at_once) {
    return {};
  }
  std::chrono::microseconds const half = interval / 2;
  return half * static_cast<std::int64_t>(index - at_once) / static_cast<std::int64_t>(count);
}

probe::Time on_the_beat(probe::Time at, milliseconds interval) {
  constexpr std::chrono::nanoseconds beat_max = milliseconds(10);
  std::chrono::nanoseconds const beat = std::min(std::chrono::nanoseconds(interval) / 500, beat_max);
  if (beat.count() <= 0) {
    return at;
  }
  std::chrono::nanoseconds const since = at.time_since_epoch();
  return probe::Time((since + beat - std::chrono::nanoseconds(1)) / beat * beat);
}

Monitor::State::State(net::asio::any_io_executor owner, pool::HealthTable& health, Listener heard,
                      std::vector<Warm> warm, Prober made, Limits wanted)
    : executor(std::move(owner)),
      table(health),
      listener(std::move(heard)),
      prober(std::move(made)),
      limits(wanted),
      timer(executor) {
  limits.in_flight = std::max<std::size_t>(limits.in_flight, 1);
  for (Warm& one : warm) {
    std::string const name = one.endpoint;
    before.insert_or_assign(name, std::move(one));
  }
}

// --- the wanted set ---

void Monitor::State::add(Watch const& watch, Instant now, probe::Time first) {
  probe::Health initial = table.get(watch.slot);
  probe::Health decided = initial;
  auto const known = before.extract(watch.endpoint);
  if (!known.empty()) {
    Warm const& warm = known.mapped();
    initial = warm.observed;
    // One site's checks are not the sites' decision: what that was goes on until they decide anew.
    decided = observer && warm.decided != probe::Health::unknown ? warm.decided : warm.observed;
  } else if (initial == probe::Health::draining) {
    initial = decided = probe::Health::unknown;  // an operator's word is no observation
  }
  auto made = std::make_unique<Endpoint>(watch, EndpointState(watch.thresholds, initial, decided));
  Endpoint& endpoint = *made;
  endpoints[watch.endpoint] = std::move(made);
  if (!known.empty()) {
    restore(endpoint, known.mapped(), now);
  }
  if (observer) {
    endpoint.state.judge(decided, now);  // as it is, until the sites decide otherwise
    note_observed(endpoint);
  }
  attach(endpoint, watch, now, first);
  force(endpoint, watch.override, now);
}

void Monitor::State::restore(Endpoint& endpoint, Warm const& warm, Instant now) {
  endpoint.observed_since_ms = warm.since_ms;
  endpoint.changed_at_ms = warm.since_ms;
  endpoint.sequence = warm.sequence;
  probe::Health const present = table.get(endpoint.slot);
  probe::Health const effective = endpoint.state.effective();
  if (present != effective) {
    flips.push_back({endpoint.name, {present, effective, now.steady}, "as before the restart"});
  }
  table.set(endpoint.slot, effective, warm.since_ms);
  table.left_up(endpoint.slot, warm.left_up_ms);
}

void Monitor::State::update(Endpoint& endpoint, Watch const& watch, Instant now) {
  bool const same_check = endpoint.probe->check == watch.check && endpoint.probe->interval == watch.interval;
  bool const same_slot = endpoint.slot == watch.slot;
  bool const same_place =
      endpoint.probe->check.address == watch.check.address && endpoint.probe->check.port == watch.check.port;
  EndpointState& state = endpoint.state;
  if (!same_slot) {
    table.set(endpoint.slot, probe::Health::unknown, now.unix_ms);
    endpoint.slot = watch.slot;
    table.set(endpoint.slot, state.effective(), now.unix_ms);
  }
  if (!same_check || !same_slot || !(state.thresholds() == watch.thresholds)) {
    Override const order = state.order();
    probe::Health const before_it = state.effective();
    std::optional<probe::Health> const judged = state.judged();
    std::uint32_t const judged_stable_s = state.judged_stable_s();
    // What was seen at one address says nothing of another. What the sites decided goes on until they decide anew: they
    // tell their decisions when those change, and not again.
    state = EndpointState(watch.thresholds, same_place ? state.observed() : probe::Health::unknown, before_it);
    state.force(order, now);  // in the same place as before: no transition
    state.judge(judged, now, judged_stable_s);
    if (!same_place) {
      endpoint.recent = RecentChecks();
      endpoint.observed_since_ms = now.unix_ms;
      bool const same_health = state.effective() == before_it;
      publish(endpoint,
              same_health ? std::nullopt : std::optional(probe::Transition{before_it, state.effective(), now.steady}),
              "checked at another address or port", now);
    }
    if (!same_check) {
      detach(endpoint);
      attach(endpoint, watch, now, now.steady);
    } else if (!endpoint.probe->is_push() && !endpoint.probe->running) {
      list(*endpoint.probe, now.steady);
    }
  }
  if (!(state.order() == watch.override)) {
    force(endpoint, watch.override, now);
  }
}

void Monitor::State::remove(Endpoint& endpoint) {
  table.set(endpoint.slot, probe::Health::unknown, this_instant().unix_ms);
  table.set_stable(endpoint.slot, 0);
  table.set_load(endpoint.slot, pool::HealthTable::load_unknown);
  unlist(endpoint);
  detach(endpoint);
}

void Monitor::State::attach(Endpoint& endpoint, Watch const& watch, Instant now, probe::Time first) {
  bool const push = watch.check.type == probe::Type::push;
  auto const found = push ? shared.end() : shared.find(watch);
  if (found != shared.end()) {
    endpoint.probe = *found;
  } else {
    endpoint.probe = std::make_shared<RunningProbe>(watch.check, watch.interval);
    if (!push) {
      bool const http = watch.check.type == probe::Type::http || watch.check.type == probe::Type::https;
      endpoint.probe->may_keep = http && watch.interval <= keep_interval_max && keeping < limits.kept_connections;
      keeping += endpoint.probe->may_keep ? 1U : 0U;
      endpoint.probe->run = prober(watch.check, endpoint.probe->may_keep);
      shared.insert(endpoint.probe);
    }
  }
  endpoint.probe->endpoints.push_back(&endpoint);
  if (push) {
    list(*endpoint.probe, now.steady + watch.interval + watch.check.timeout);
  } else if (!endpoint.probe->running) {
    list(*endpoint.probe, found == shared.end() ? first : now.steady);
  }
}

void Monitor::State::detach(Endpoint& endpoint) {
  RunningProbePtr const probe = std::move(endpoint.probe);
  std::erase(probe->endpoints, &endpoint);
  if (probe->endpoints.empty()) {
    probe->stopped = true;
    keeping -= probe->may_keep ? 1U : 0U;
    unlist(*probe);
    if (!probe->is_push()) {
      shared.erase(probe);
    }
  }
}

void Monitor::State::force(Endpoint& endpoint, Override const& order, Instant now) {
  bool const ended = endpoint.state.order().to != Forced::none && order.to == Forced::none;
  auto const transition = endpoint.state.force(order, now);
  std::string const why = ended ? "the override ended" : "override" + (order.reason.empty() ? "" : ": " + order.reason);
  publish(endpoint, transition, why, now);
  unlist(endpoint);
  if (endpoint.state.order().until_ms != 0) {
    std::int64_t const left_ms = endpoint.state.order().until_ms - now.unix_ms;
    list(endpoint, now.steady + std::min(milliseconds(left_ms), look_again_in));
  }
}

// --- the agenda ---

void Monitor::State::list(Timed& item, probe::Time at) {
  unlist(item);
  item.at = at;
  item.place = Timed::Place::agenda;
  agenda.emplace(at, &item);
}

void Monitor::State::unlist(Timed& item) {
  if (item.place != Timed::Place::none) {
    (item.place == Timed::Place::agenda ? agenda : waiting).erase({item.at, &item});
    item.place = Timed::Place::none;
  }
}

// One timer for all: it is set again only when something is due before what it waits for.
void Monitor::State::arm() {
  if (stopped || agenda.empty() || (armed && *armed <= agenda.begin()->first)) {
    return;
  }
  armed = agenda.begin()->first;
  timer.expires_at(*armed);
  timer.async_wait([state = shared_from_this()](boost::system::error_code error) {
    if (!error && !state->stopped) {
      state->armed.reset();
      state->run_due();
    }
  });
}

void Monitor::State::run_due() {
  Instant const now = this_instant();
  while (!agenda.empty() && agenda.begin()->first <= now.steady) {
    Timed& item = *agenda.begin()->second;
    unlist(item);
    if (item.kind == Timed::Kind::probe) {
      auto& probe = static_cast<RunningProbe&>(item);
      if (probe.is_push()) {
        silence(probe, now);
      } else {
        start_or_wait(probe);
      }
      continue;
    }
    auto& endpoint = static_cast<Endpoint&>(item);
    // Not over yet: then force() lists it again.
    Override const order = endpoint.state.order();
    force(endpoint, order.counts(now.unix_ms) ? order : Override(), now);
  }
  arm();
  tell_listener();
}

void Monitor::State::start_or_wait(RunningProbe& probe) {
  if (in_flight >= limits.in_flight) {
    probe.place = Timed::Place::waiting;
    waiting.emplace(probe.at, &probe);
    return;
  }
  start(probe.endpoints.front()->probe);
}

// --- checks ---

void Monitor::State::start(RunningProbePtr probe) {
  probe->running = true;
  ++in_flight;
  net::spawn(executor, "check", check(shared_from_this(), std::move(probe)));
}

net::Task<void> Monitor::State::check(std::shared_ptr<State> state, RunningProbePtr probe) {
  auto const began = std::chrono::steady_clock::now();
  auto const late = std::chrono::duration_cast<std::chrono::microseconds>(began - probe->at);
  auto const interval = std::max<std::int64_t>(probe->interval.count(), 1);
  state->latest_permille =
      std::max(state->latest_permille,
               static_cast<std::uint32_t>(std::clamp<std::int64_t>(late.count() / interval, 0, 1'000'000)));
  probe::Verdict verdict;
  try {
    verdict = co_await probe->run();
  } catch (std::exception const& problem) {  // a check that throws is a failed check, not the end of checking
    verdict = probe::Verdict();
    verdict.reason = std::string("the check failed: ") + problem.what();
  }
  state->finish(*probe, verdict, began);
}

// The place goes straight to the check that is due longest, so that in_flight never counts a place nobody uses.
void Monitor::State::finish(RunningProbe& probe, probe::Verdict const& verdict, probe::Time began) {
  --in_flight;
  probe.running = false;
  if (stopped) {
    return;
  }
  if (!waiting.empty()) {
    auto& next = static_cast<RunningProbe&>(*waiting.begin()->second);
    unlist(next);
    start(next.endpoints.front()->probe);
  }
  if (probe.stopped) {
    return;
  }
  ++checks;
  Instant const now = this_instant();
  auto const chance = static_cast<std::uint32_t>(random());
  bool const first = probe.gap.count() == 0;
  milliseconds const pause = first ? first_pause(probe.interval, chance) : jittered(probe.interval, chance);
  probe.gap = first ? pause : probe.interval;
  list(probe, on_the_beat(std::max(began + pause, now.steady), probe.interval));
  for (Endpoint* const endpoint : probe.endpoints) {
    record(*endpoint, verdict, now);
  }
  arm();
  tell_listener();
}

void Monitor::State::record(Endpoint& endpoint, probe::Verdict const& verdict, Instant now) {
  endpoint.recent.add(now.unix_ms, verdict.elapsed, verdict.success, verdict.reason, verdict.warning);
  if (verdict.success && reached) {
    reached(endpoint.name);
  }
  probe::Health const before_it = endpoint.state.observed();
  auto const transition = endpoint.state.observe(verdict.success, now);
  if (endpoint.state.observed() != before_it) {
    endpoint.observed_since_ms = now.unix_ms;
    note_observed(endpoint);
  }
  publish(endpoint, transition, verdict.reason, now);
}

void Monitor::State::note_observed(Endpoint const& endpoint) {
  if (observer && endpoint.state.observed() != probe::Health::unknown) {
    observed[endpoint.name] = endpoint.state.observed();
  }
}

void Monitor::State::silence(RunningProbe& probe, Instant now) {
  Endpoint& endpoint = *probe.endpoints.front();  // nobody shares a push
  list(probe, std::max(probe.at + probe.interval, now.steady + milliseconds(1)));
  table.set_load(endpoint.slot, pool::HealthTable::load_unknown);
  probe::Verdict verdict;
  verdict.reason = "no report for more than " + std::to_string((probe.interval + probe.check.timeout).count()) + " ms";
  record(endpoint, verdict, now);
}

void Monitor::State::publish(Endpoint& endpoint, std::optional<probe::Transition> transition, std::string const& reason,
                             Instant now) {
  if (transition) {
    // What is first found up did not come back: no pool has to wait for it as after a fall.
    bool const first = transition->from == probe::Health::unknown;
    table.set(endpoint.slot, transition->to, first ? pool::HealthTable::since_ever_ms : now.unix_ms);
    endpoint.changed_at_ms = now.unix_ms;
    flips.push_back({endpoint.name, *transition, reason});
  }
  RunningProbe const& probe = *endpoint.probe;
  bool const known = endpoint.recent.last() != nullptr || endpoint.state.order().to != Forced::none;
  milliseconds const gap = probe.gap.count() == 0 ? probe.interval : probe.gap;
  table.set_stable(endpoint.slot, known ? endpoint.state.stable_s(probe.interval, gap, now.unix_ms) : 0);
}

// Last, because the listener may call watch(), or end the monitor.
void Monitor::State::tell_listener() {
  auto const alive = shared_from_this();
  std::map<std::string, probe::Health> const seen = std::exchange(observed, {});
  for (auto const& [endpoint, health] : seen) {
    if (stopped) {
      return;
    }
    observer(endpoint, health);
  }
  std::vector<Flip> const told = std::exchange(flips, {});
  for (Flip const& flip : told) {
    if (stopped || !listener) {
      return;
    }
    listener(flip.endpoint, flip.transition, flip.reason);
  }
}

}  // namespace monitor
