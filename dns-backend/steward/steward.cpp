#include "dns-backend/steward/steward.hpp"

#include "base/process/log.hpp"

namespace steward {
namespace {

constexpr char const* component = "steward";
constexpr std::size_t batch = 16;

std::int64_t wall_ms() {
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string lagging(std::vector<Site> const& sites, store::Revision revision) {
  for (Site const& site : sites) {
    if (site.in_service && site.acknowledged < revision) {
      return site.name;
    }
  }
  return {};
}

}  // namespace

Steward::Steward(net::asio::any_io_executor executor, store::Store& store, std::function<std::vector<Site>()> sites,
                 process::Metrics& metrics, Settings settings)
    : store_(store),
      sites_(std::move(sites)),
      settings_(settings),
      done_(metrics.counter("navigator_tenant_intents_total", "Attempts at what the journal of tenants holds",
                            {{"result", "attempted"}})),
      failed_(metrics.counter("navigator_tenant_intents_total", "Attempts at what the journal of tenants holds",
                              {{"result", "failed"}})),
      repaired_(metrics.counter("navigator_tenant_repairs_total", "What desired-against-applied put right")),
      stuck_(metrics.gauge("navigator_tenant_intents_stuck", "Intents that failed a dozen times or more")),
      wake_(executor) {}

void Steward::report(tenants::Intent const& intent) const {
  if (intent.attempts == tenants::attempts_alarm) {
    process::log::error(component, "it cannot be done tenant={} intent={} label={} attempts={} error=\"{}\"",
                        intent.tenant_id, intent.kind, intent.label, intent.attempts, intent.last_error);
  }
}

// Fails only when not even the failure can be written.
net::Task<base::Result<void>> Steward::try_one(tenants::Intent intent, std::int64_t now_ms) {
  store::Body body = [intent, sites = sites_(), now_ms](store::Write const& write) {
    auto const behind = [&sites](database::Revision revision) { return lagging(sites, revision); };
    return tenants::attempt(write, intent, behind, now_ms);
  };
  auto const tried = co_await store_.write(std::move(body));
  done_.add();
  if (tried) {
    co_return base::Result<void>();
  }
  failed_.add();
  store::Body later = [intent, why = tried.error().what(), now_ms](store::Write const& write) {
    return tenants::postpone(write, intent, why, now_ms);
  };
  auto const postponed = co_await store_.write(std::move(later));
  co_return postponed ? base::Result<void>() : postponed.error();
}

net::Task<base::Result<void>> Steward::pass(std::int64_t now_ms) {
  for (;;) {
    std::function<base::Result<std::vector<tenants::Intent>>(database::Database&)> const look =
        [now_ms](database::Database& database) { return tenants::due(database, now_ms, batch); };
    auto const due = co_await store_.thread().run<std::vector<tenants::Intent>>(look);
    if (!due) {
      co_return due.error();
    }
    if (due->empty()) {
      co_return co_await count_stuck();
    }
    for (tenants::Intent const& intent : *due) {
      report(intent);
      if (auto const tried = co_await try_one(intent, now_ms); !tried) {
        co_return tried.error();
      }
    }
  }
}

// All of them, also those that wait for their next attempt.
net::Task<base::Result<void>> Steward::count_stuck() {
  std::function<base::Result<std::int64_t>(database::Database&)> const count = tenants::stuck;
  auto const stuck = co_await store_.thread().run<std::int64_t>(count);
  if (!stuck) {
    co_return stuck.error();
  }
  stuck_.set(static_cast<double>(*stuck));
  co_return base::Result<void>();
}

net::Task<base::Result<std::size_t>> Steward::repair() {
  auto const count = std::make_shared<std::size_t>(0);
  store::Body body = [count](store::Write const& write) { return tenants::repair(write, *count); };
  auto const done = co_await store_.write(std::move(body));
  if (!done) {
    co_return done.error();
  }
  if (*count > 0) {
    repaired_.add(static_cast<double>(*count));
    process::log::warning(component, "put right what the journal did not hold count={}", *count);
  }
  co_return *count;
}

net::Task<void> Steward::run() {
  auto repaired = std::chrono::steady_clock::now() - settings_.repair_every;
  while (!stopped_) {
    poked_ = false;
    if (auto const now = std::chrono::steady_clock::now(); now - repaired >= settings_.repair_every) {
      repaired = now;
      if (auto const done = co_await repair(); !done) {
        process::log::warning(component, "repair failed error=\"{}\"", done.error().what());
      }
    }
    if (auto const done = co_await pass(wall_ms()); !done) {
      process::log::warning(component, "pass failed error=\"{}\"", done.error().what());
    }
    if (!poked_ && !stopped_) {
      co_await wake_.wait(settings_.pause);
    }
  }
}

void Steward::poke() {
  poked_ = true;
  wake_.notify();
}

void Steward::stop() {
  stopped_ = true;
  wake_.notify();
}

}  // namespace steward
