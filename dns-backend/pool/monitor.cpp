#include "dns-backend/pool/monitor.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <random>
#include <utility>

namespace pool {
namespace {

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A check that throws is a failed check, not the end of checking.
net::Task<probe::Verdict> perform(Monitor::Prober prober, probe::Check check) {
  probe::Verdict verdict;
  try {
    verdict = co_await prober(std::move(check));
  } catch (std::exception const& problem) {
    verdict.reason = std::string("the check failed: ") + problem.what();
  }
  co_return verdict;
}

// The running check of one endpoint. Its coroutine holds it; `stopped` tells that the monitor does not any more.
struct Checker {
  Checker(net::asio::any_io_executor executor, Watch wanted, probe::Health initial)
      : watch(std::move(wanted)), state(watch.thresholds, initial), wake(std::move(executor)) {
    status.endpoint = watch.endpoint;
  }
  void stop() {
    stopped = true;
    wake.notify();
  }

  Watch watch;
  probe::HealthState state;
  EndpointStatus status;
  net::Signal wake;  // stopped, or its turn came
  bool stopped = false;
  bool has_turn = false;  // a slot of in_flight_max was handed to it while it waited
};
using CheckerPtr = std::shared_ptr<Checker>;

}  // namespace

struct Monitor::State {
  State(net::asio::any_io_executor owner, HealthTable& health, Listener heard, Prober performed)
      : executor(std::move(owner)), table(health), listener(std::move(heard)), prober(std::move(performed)) {}

  net::asio::any_io_executor executor;
  HealthTable& table;
  Listener listener;
  Prober prober;
  std::map<std::string, CheckerPtr> checkers;
  std::size_t in_flight = 0;
  std::deque<CheckerPtr> waiting;
  std::minstd_rand random{std::random_device{}()};

  void finish_turn();
  void start(Watch const& watch, probe::Health initial, EndpointStatus const* known);
  void record(Checker& checker, probe::Verdict const& verdict);
  static net::Task<bool> take_turn(std::shared_ptr<State> state, CheckerPtr checker);
  static net::Task<void> check_for_ever(std::shared_ptr<State> state, CheckerPtr checker);
};

// A deadline for waits that only a notification should end; after it the condition is looked at again.
constexpr std::chrono::hours again_in{1};

net::Task<bool> Monitor::State::take_turn(std::shared_ptr<State> state, CheckerPtr checker) {
  if (state->in_flight < in_flight_max) {
    ++state->in_flight;
    co_return true;
  }
  state->waiting.push_back(checker);
  while (!checker->stopped && !checker->has_turn) {
    co_await checker->wake.wait(again_in);
  }
  if (!checker->has_turn) {
    std::erase(state->waiting, checker);
    co_return false;
  }
  checker->has_turn = false;
  co_return true;
}

// The place goes straight to the longest waiting check, so that in_flight never counts a place nobody uses.
void Monitor::State::finish_turn() {
  if (waiting.empty()) {
    --in_flight;
    return;
  }
  CheckerPtr const next = waiting.front();
  waiting.pop_front();
  next->has_turn = true;
  next->wake.notify();
}

net::Task<void> Monitor::State::check_for_ever(std::shared_ptr<State> state, CheckerPtr checker) {
  while (!checker->stopped) {
    bool const turn = co_await take_turn(state, checker);
    if (!turn) {
      break;
    }
    if (checker->stopped) {
      state->finish_turn();
      break;
    }
    probe::Verdict const verdict = co_await perform(state->prober, checker->watch.check);
    state->finish_turn();
    if (checker->stopped) {
      break;
    }
    state->record(*checker, verdict);
    auto const pause = jittered(checker->watch.interval, static_cast<std::uint32_t>(state->random()));
    if (!checker->stopped) {
      co_await checker->wake.wait(pause);
    }
  }
}

void Monitor::State::record(Checker& checker, probe::Verdict const& verdict) {
  EndpointStatus& status = checker.status;
  status.reason = verdict.reason;
  status.elapsed = verdict.elapsed;
  status.checked_at_ms = wall_clock_ms();
  auto const transition = checker.state.observe(verdict.success, std::chrono::steady_clock::now());
  if (!transition) {
    return;
  }
  table.set(checker.watch.slot, transition->to);
  status.changed_at_ms = status.checked_at_ms;
  if (listener) {
    listener(checker.watch.endpoint, *transition, verdict.reason);
  }
}

void Monitor::State::start(Watch const& watch, probe::Health initial, EndpointStatus const* known) {
  auto const checker = std::make_shared<Checker>(executor, watch, initial);
  if (known != nullptr) {
    checker->status = *known;
  }
  checkers[watch.endpoint] = checker;
}

Monitor::Monitor(net::asio::any_io_executor executor, HealthTable& table, Listener listener, Prober prober)
    : state_(std::make_shared<State>(std::move(executor), table, std::move(listener), std::move(prober))) {}

// The table keeps its last values: main() saves them for a warm start after the monitor ended.
Monitor::~Monitor() {
  for (auto const& [name, checker] : state_->checkers) {
    checker->stop();
  }
}

void Monitor::watch(std::vector<Watch> const& wanted) {
  std::map<std::string, Watch const*> by_name;
  for (Watch const& watch : wanted) {
    by_name[watch.endpoint] = &watch;
  }
  std::vector<CheckerPtr> stopped;
  std::erase_if(state_->checkers, [&](auto const& entry) {
    bool const gone = !by_name.contains(entry.first);
    if (gone) {
      state_->table.set(entry.second->watch.slot, probe::Health::unknown);
      stopped.push_back(entry.second);
    }
    return gone;
  });
  std::vector<CheckerPtr> started;
  for (auto const& [name, watch] : by_name) {
    auto const found = state_->checkers.find(name);
    if (found == state_->checkers.end()) {
      state_->start(*watch, state_->table.get(watch->slot), nullptr);
    } else if (found->second->watch != *watch) {
      CheckerPtr const previous = found->second;
      stopped.push_back(previous);
      state_->start(*watch, previous->state.health(), &previous->status);
    } else {
      continue;
    }
    started.push_back(state_->checkers[name]);
  }
  for (CheckerPtr const& checker : stopped) {
    checker->stop();
  }
  for (CheckerPtr const& checker : started) {
    net::spawn(state_->executor, "check of " + checker->watch.endpoint, State::check_for_ever(state_, checker));
  }
}

std::vector<EndpointStatus> Monitor::status() const {
  std::vector<EndpointStatus> out;
  for (auto const& [name, checker] : state_->checkers) {
    EndpointStatus status = checker->status;
    status.health = checker->state.health();
    status.checks_to_change = checker->state.checks_to_change();
    out.push_back(std::move(status));
  }
  return out;
}

std::chrono::milliseconds jittered(std::chrono::milliseconds interval, std::uint32_t random) {
  std::int64_t const width = interval.count() / 5;
  std::int64_t const offset = width == 0 ? 0 : static_cast<std::int64_t>(random) % (width + 1) - width / 2;
  return std::max(std::chrono::milliseconds(1), interval + std::chrono::milliseconds(offset));
}

}  // namespace pool
