#include "dns-backend/monitor/monitor.hpp"

#include "dns-backend/monitor/engine.hpp"

#include <algorithm>

namespace monitor {
namespace {

EndpointStatus status_of(Endpoint const& endpoint) {
  EndpointStatus out;
  out.endpoint = endpoint.name;
  out.observed = endpoint.state.observed();
  out.effective = endpoint.state.effective();
  out.override = endpoint.state.order().to;
  out.override_until_ms = endpoint.state.order().until_ms;
  out.override_reason = endpoint.state.order().reason;
  out.changed_at_ms = endpoint.changed_at_ms;
  out.checks_to_change = endpoint.state.checks_to_change();
  out.checks = endpoint.recent.newest_first();
  if (CheckRecord const* const last = endpoint.recent.last(); last != nullptr) {
    out.reason = last->reason;
    out.warning = last->warning;
    out.elapsed = last->elapsed;
    out.checked_at_ms = last->at_ms;
  }
  return out;
}

}  // namespace

Probe make_session(probe::Check const& check, bool keep_connection) {
  return [session = std::make_shared<probe::Session>(check, keep_connection)] { return session->run(); };
}

Monitor::Monitor(net::asio::any_io_executor executor, pool::HealthTable& table, Listener listener,
                 std::vector<Warm> warm, Prober prober, Limits limits)
    : state_(std::make_shared<State>(std::move(executor), table, std::move(listener), std::move(warm),
                                     std::move(prober), limits)) {}

Monitor::~Monitor() {
  state_->stopped = true;
  state_->agenda.clear();
  state_->waiting.clear();
  state_->timer.cancel();
  for (RunningProbePtr const& probe : state_->shared) {
    probe->stopped = true;
  }
  state_->shared.clear();
  state_->endpoints.clear();
}

void Monitor::watch(std::vector<Watch> const& wanted) {
  auto const state = state_;
  Instant const now = this_instant();
  std::map<std::string, Watch const*> by_name;
  for (Watch const& watch : wanted) {
    by_name[watch.endpoint] = &watch;
  }
  std::erase_if(state->endpoints, [&](auto const& entry) {
    bool const gone = !by_name.contains(entry.first);
    if (gone) {
      state->remove(*entry.second);
    }
    return gone;
  });
  std::size_t const count = by_name.size();
  std::size_t added = 0;
  for (auto const& [name, watch] : by_name) {
    auto const found = state->endpoints.find(name);
    if (found == state->endpoints.end()) {
      auto const delay = first_delay(added++, count, state->limits.in_flight, watch->interval);
      state->add(*watch, now, now.steady + delay);
    } else {
      state->update(*found->second, *watch, now);
    }
  }
  state->arm();
  state->tell_listener();
}

void Monitor::observe_only(Observer observer, Reached reached) {
  state_->observer = std::move(observer);
  state_->reached = std::move(reached);
}

void Monitor::judge(std::string const& endpoint, probe::Health decided, std::string const& reason,
                    std::uint32_t stable_s_max) {
  auto const state = state_;
  auto const found = state->endpoints.find(endpoint);
  if (state->stopped || found == state->endpoints.end()) {
    return;
  }
  Instant const now = this_instant();
  auto const transition = found->second->state.judge(decided, now, stable_s_max);
  state->publish(*found->second, transition, reason, now);
  state->tell_listener();
}

probe::Health Monitor::decided(std::string const& endpoint) const {
  if (auto const found = state_->endpoints.find(endpoint); found != state_->endpoints.end()) {
    return found->second->state.judged().value_or(probe::Health::unknown);
  }
  auto const warm = state_->before.find(endpoint);
  return warm == state_->before.end() ? probe::Health::unknown : warm->second.decided;
}

base::Result<void> Monitor::report(std::string const& name, Report const& report, Via via) {
  auto const state = state_;
  Instant const now = this_instant();
  auto const found = state->endpoints.find(name);
  base::Result<void> judged;
  if (found == state->endpoints.end()) {
    judged = base::fail(errc::unknown_endpoint, "nobody watches '" + name + "'");
  } else if (!found->second->probe->is_push()) {
    judged = base::fail(errc::not_pushed, "the monitor of '" + name + "' asks for itself");
  } else {
    judged = believable(report, found->second->sequence, now.unix_ms);
  }
  if (!judged) {
    bool const usual = via == Via::peer && judged.error().code != errc::misdated;
    state->refused += usual ? 0 : 1;
    return judged;
  }
  Endpoint& endpoint = *found->second;
  RunningProbe& probe = *endpoint.probe;
  endpoint.sequence = report.sequence;
  ++state->checks;
  state->list(probe, now.steady + probe.interval + probe.check.timeout);
  state->table.set_load(endpoint.slot, report.load_permille.value_or(pool::HealthTable::load_unknown));
  probe::Verdict verdict;
  verdict.success = report.success;
  verdict.reason = report.reason.empty() ? (report.success ? "ok" : "reported as failed") : report.reason;
  state->record(endpoint, verdict, now);
  state->arm();
  state->tell_listener();
  return {};
}

std::uint64_t Monitor::refused_reports() const {
  return state_->refused;
}

std::vector<EndpointStatus> Monitor::status() const {
  std::vector<EndpointStatus> out;
  out.reserve(state_->endpoints.size());
  for (auto const& [name, endpoint] : state_->endpoints) {
    out.push_back(status_of(*endpoint));
  }
  return out;
}

std::optional<EndpointStatus> Monitor::status(std::string const& endpoint) const {
  auto const found = state_->endpoints.find(endpoint);
  return found == state_->endpoints.end() ? std::nullopt : std::optional(status_of(*found->second));
}

std::size_t Monitor::unknown_count() const {
  auto const& all = state_->endpoints;
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](auto const& entry) {
    return !entry.second->probe->is_push() && entry.second->state.effective() == probe::Health::unknown;
  }));
}

std::vector<Warm> Monitor::save() const {
  std::vector<Warm> out;
  for (auto const& [name, endpoint] : state_->endpoints) {
    probe::Health const decided = endpoint->state.judged().value_or(probe::Health::unknown);
    if (endpoint->state.observed() != probe::Health::unknown || decided != probe::Health::unknown) {
      CheckRecord const* const last = endpoint->recent.last();
      out.push_back({name, endpoint->state.observed(), endpoint->observed_since_ms,
                     last == nullptr ? std::string() : last->reason, endpoint->sequence, decided,
                     state_->table.left_up_ms(endpoint->slot)});
    }
  }
  return out;
}

Work Monitor::work() {
  return {state_->checks, state_->shared.size(), state_->in_flight, state_->waiting.size(),
          std::exchange(state_->latest_permille, 0)};
}

std::chrono::milliseconds jittered(std::chrono::milliseconds interval, std::uint32_t random) {
  std::int64_t const width = interval.count() / 5;
  std::int64_t const offset = width == 0 ? 0 : static_cast<std::int64_t>(random) % (width + 1) - width / 2;
  return std::max(std::chrono::milliseconds(1), interval + std::chrono::milliseconds(offset));
}

std::chrono::milliseconds first_pause(std::chrono::milliseconds interval, std::uint32_t random) {
  std::int64_t const least = std::max<std::int64_t>(interval.count() / 10, 1);
  std::int64_t const width = std::max<std::int64_t>(interval.count() - least, 0);
  return std::chrono::milliseconds(least + static_cast<std::int64_t>(random) % (width + 1));
}

}  // namespace monitor
