// Health as the daemon wires it: monitors, the log of transitions, webhooks, purges.
#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "dns-backend/daemon/daemon.hpp"
#include "dns-backend/overview/affected.hpp"
#include "dns-backend/overview/watches.hpp"
#include "dns-backend/site_settings/site_settings.hpp"
#include "dns-backend/snapshot/leading.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <utility>

namespace navigator {
namespace {

namespace json = boost::json;
using process::log::info;
using process::log::warning;

constexpr std::chrono::milliseconds longest_wait{3600000};  // the wall clock may be set meanwhile

constexpr char const* up_gauge = "navigator_endpoint_up";
constexpr char const* transitions_counter = "navigator_endpoint_transitions_total";

void show_up(Daemon& daemon, std::string const& endpoint, probe::Health health) {
  daemon.metrics.gauge(up_gauge, "1 while the endpoint is taken for up", {{"endpoint", endpoint}})
      .set(health == probe::Health::up ? 1 : 0);
}

// An endpoint that is no longer checked would else be shown as it was last, for ever.
void show_watched(Daemon& daemon, std::vector<monitor::Watch> const& watches) {
  std::set<std::string> const before = std::exchange(daemon.shown, {});
  for (monitor::Watch const& watch : watches) {
    daemon.shown.insert(watch.endpoint);
    show_up(daemon, watch.endpoint, daemon.health.get(watch.slot));
  }
  for (std::string const& endpoint : before) {
    if (!daemon.shown.contains(endpoint)) {
      daemon.metrics.forget(up_gauge, {{"endpoint", endpoint}});
      daemon.metrics.forget(transitions_counter, {{"endpoint", endpoint}});
    }
  }
}

void flipped(Daemon& daemon, std::string const& endpoint, probe::Transition transition, std::string const& reason) {
  info("health", "{} is {} (was {}): {}", endpoint, probe::name(transition.to), probe::name(transition.from), reason);
  unsaved(daemon);
  show_up(daemon, endpoint, transition.to);
  daemon.metrics.counter(transitions_counter, "Changes of health", {{"endpoint", endpoint}}).add();
  daemon.failback.notify();
  if (daemon.exchange != nullptr) {
    daemon.exchange->health_changed();
  }
  forget_answers_of(daemon, endpoint);
  std::string const decided_by = reason.starts_with("override") || reason == "the override ended" ? "operator"
                                 : daemon.exchange != nullptr                                     ? "sites"
                                                                                                  : "checks";
  std::int64_t const at_ms = wall_ms();
  daemon.transitions->add({0, at_ms, endpoint, transition.from, transition.to, reason, decided_by});
  json::object const event{{"event", "health"},
                           {"node", daemon.settings.node},
                           {"endpoint", endpoint},
                           {"from", probe::name(transition.from)},
                           {"to", probe::name(transition.to)},
                           {"reason", reason},
                           {"decided_by", decided_by},
                           {"at_ms", at_ms}};
  std::string const id =
      daemon.settings.node + "-" + std::to_string(daemon.started_ms) + "-" + std::to_string(++daemon.events);
  daemon.webhook->notify(id, json::serialize(event));
}

void surround(Daemon& daemon, geo::Surroundings next) {
  daemon.surroundings->publish(std::make_shared<geo::Surroundings const>(std::move(next)));
}

// Lookups see the costs before PowerDNS asks again.
void costs_changed(Daemon& daemon, std::shared_ptr<geo::SiteCosts const> const& costs) {
  auto const before = daemon.surroundings->copy();
  surround(daemon, {before->locator, costs});
  auto const names = overview::reordered(daemon.overview.by_mesh, before->costs.get(), costs.get());
  info("mesh", "the costs of {} sites are known, {} names answer by another order", costs->size(), names.size());
  forget(daemon, names);
}

void start_costs(Daemon& daemon) {
  auto const changed = [&daemon](std::shared_ptr<geo::SiteCosts const> const& costs) { costs_changed(daemon, costs); };
  daemon.costs = std::make_unique<mesh_costs::MeshCosts>(daemon.executor, mesh_costs_settings(daemon.settings), changed);
}

json::value mesh_of(mesh_costs::MeshCostsStatus const& status) {
  json::object costs;
  for (auto const& [site, cost] : status.costs == nullptr ? geo::SiteCosts() : *status.costs) {
    costs[site] = cost;
  }
  return json::object{
      {"costs", std::move(costs)}, {"known", status.costs != nullptr}, {"last_error", status.last_error}};
}

}  // namespace

net::Task<void> refresh_watches(Daemon& daemon) {
  daemon.watches_stale = true;
  if (daemon.watches_running) {
    co_return;
  }
  daemon.watches_running = true;
  while (daemon.watches_stale) {
    daemon.watches_stale = false;
    auto const pools = co_await daemon.store->pools();
    if (!pools) {  // the present checks stay
      warning("navigator", "pools cannot be read: {}", pools.error().what());
      continue;
    }
    auto const objects = co_await daemon.store->steering();
    if (!objects) {
      warning("navigator", "monitors cannot be read: {}", objects.error().what());
      continue;
    }
    daemon.overview = overview::overview_of(*pools, *objects, daemon.health);
    daemon.failback.notify();
    auto const orders = co_await daemon.overrides->orders(wall_ms());
    if (!orders) {
      warning("navigator", "overrides cannot be read: {}", orders.error().what());
      continue;
    }
    // Both at once: what the sites decide in between would not reach the monitor.
    if (daemon.exchange != nullptr) {
      auto const current = [&daemon](std::string const& name) { return daemon.monitor->decided(name); };
      daemon.exchange->watch(overview::subjects_of(*pools, *objects), current);
    }
    auto watches = overview::watches_of(*pools, daemon.health, *objects);
    for (monitor::Watch& watch : watches) {
      if (auto const order = orders->find(watch.endpoint); order != orders->end()) {
        watch.override = order->second;
      }
    }
    daemon.monitor->watch(watches);
    show_watched(daemon, watches);
  }
  daemon.watches_running = false;
}

base::Result<void> start_health(Daemon& daemon) {
  transitions::LogSettings kept;
  kept.kept = std::chrono::hours(24) * daemon.settings.transitions_days;
  daemon.transitions =
      std::make_unique<transitions::TransitionLog>(daemon.executor, daemon.store->thread(), kept, daemon.metrics);
  daemon.overrides = std::make_unique<overrides::Overrides>(daemon.store->thread());
  webhook::WebhookSettings hooks;
  for (WebhookTarget const& target : daemon.settings.webhooks) {
    std::string secret;
    if (!target.secret_file.empty()) {
      auto text = process::read_file(target.secret_file, 4096);
      if (!text) {
        return text.error();
      }
      secret = text->substr(0, text->find_first_of("\r\n"));
    }
    hooks.targets.push_back({target.url, secret});
  }
  daemon.webhook = std::make_unique<webhook::Webhook>(daemon.executor, hooks, daemon.metrics);
  auto const listener = [&daemon](std::string const& endpoint, probe::Transition transition,
                                  std::string const& reason) { flipped(daemon, endpoint, transition, reason); };
  std::string const warm = warm_file(daemon.settings.store_url);
  auto known = warm.empty() ? std::vector<monitor::Warm>() : monitor::load_warm(warm, wall_ms());
  daemon.monitor = std::make_unique<monitor::Monitor>(daemon.executor, daemon.health, listener, std::move(known));
  if (!daemon.settings.mesh_bird.empty()) {
    start_costs(daemon);
  }
  start_sites(daemon);
  return {};
}

void stop_health(Daemon& daemon) {
  daemon.alive.reset();
  daemon.costs.reset();
  daemon.exchange.reset();
  daemon.monitor.reset();
  daemon.webhook.reset();
  daemon.transitions.reset();
}

void add_health_sections(Daemon const& daemon, api::Dependencies& api) {
  api.more_metrics = [&daemon] { return overview::pool_metrics(daemon.overview.pools, daemon.health); };
  api.monitor = daemon.monitor.get();
  api.overrides = daemon.overrides.get();
  api.transitions = daemon.transitions.get();
  add_site_sections(daemon, api);
  if (daemon.costs != nullptr) {
    api.sections["mesh"] = [&daemon] { return mesh_of(daemon.costs->status()); };
  }
  if (!daemon.settings.webhooks.empty()) {
    api.sections["webhooks"] = [&daemon]() -> json::value {
      json::array out;
      for (webhook::TargetStatus const& target : daemon.webhook->status()) {
        out.push_back(json::object{{"url", target.url},
                                   {"taken", target.taken},
                                   {"given_up", target.given_up},
                                   {"waiting", target.waiting},
                                   {"last_error", target.last_error}});
      }
      return out;
    };
  }
}

void unsaved(Daemon& daemon) {
  daemon.saving.changed();
  daemon.save.notify();
}

void forget_answers_of(Daemon& daemon, std::string const& endpoint) {
  forget(daemon, overview::names_answering(*daemon.store->published().copy(), {endpoint}));
}

void forget(Daemon& daemon, std::vector<store::Touched> const& names) {
  daemon.purger.purge(store::with_leading(*daemon.store->published().copy(), names));
}

base::Result<void> load_surroundings(Daemon& daemon) {
  auto locator = geo::load_locator({daemon.settings.geo_cidr_map, daemon.settings.geo_mmdb});
  if (!locator) {
    return base::fail_errno(EINVAL, base::text(locator.error()));
  }
  if (daemon.surroundings) {
    surround(daemon, {*locator, daemon.surroundings->copy()->costs});
  } else {
    daemon.surroundings.emplace(std::make_shared<geo::Surroundings const>(geo::Surroundings{*locator, nullptr}));
  }
  return {};
}

std::string warm_file(std::string const& store_url) {
  constexpr std::string_view scheme = "sqlite://";
  std::string const path = store_url.starts_with(scheme) ? store_url.substr(scheme.size()) : std::string();
  return path.empty() || path == ":memory:" ? std::string() : path + "-health.json";
}

net::Task<void> save_health(Daemon& daemon) {
  std::string const path = warm_file(daemon.settings.store_url);
  std::weak_ptr<bool> const alive = daemon.alive;
  if (path.empty() || daemon.monitor == nullptr) {
    co_return;
  }
  daemon.saving.began(std::chrono::steady_clock::now());
  // On the store's thread: a disk that is slow must not hold up the checks, and one save follows the other.
  std::function<base::Result<void>(database::Database&)> const write = [path, known = daemon.monitor->save(),
                                                                        now_ms = wall_ms()](database::Database&) {
    return monitor::save_warm(path, known, now_ms);
  };
  base::Result<void> const saved = co_await daemon.store->thread().run<void>(write);
  if (alive.expired()) {
    co_return;
  }
  if (auto const cause = daemon.saving.ended(saved)) {
    warning("health", "if this process dies, the next start will not know the health of now: {}", *cause);
  }
}

net::Task<void> keep_health(Daemon* daemon, std::weak_ptr<bool> alive) {
  if (warm_file(daemon->settings.store_url).empty()) {
    co_return;  // a store in memory has no file beside it, and what cannot be saved would be due for ever
  }
  while (!alive.expired() && !daemon->leaving) {
    auto const left =
        std::chrono::ceil<std::chrono::milliseconds>(daemon->saving.due() - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      co_await save_health(*daemon);
    } else {
      co_await daemon->save.wait(left);
    }
  }
}

// An earlier pool takes over again some time after its endpoints are up: then the answer changes, and nothing flips.
net::Task<void> purge_failbacks(Daemon* daemon, std::weak_ptr<bool> alive) {
  std::int64_t since_s = wall_ms() / 1000;
  while (!alive.expired()) {
    std::int64_t const now_ms = wall_ms();
    auto const found = overview::failbacks(daemon->overview.failing_back, daemon->health, since_s, now_ms / 1000);
    since_s = now_ms / 1000;
    if (!found.names.empty()) {
      forget(*daemon, found.names);
    }
    std::int64_t const left_ms = found.next_s ? *found.next_s * 1000 - now_ms : longest_wait.count();
    co_await daemon->failback.wait(std::min(longest_wait, std::chrono::milliseconds(left_ms)));
    if (alive.expired()) {
      co_return;
    }
    // Moments are whole seconds: however much flips, one look in each is enough.
    if (std::int64_t const into_ms = wall_ms() - since_s * 1000; into_ms >= 0 && into_ms < 1000) {
      co_await net::wait_for(std::chrono::milliseconds(1000 - into_ms));
    }
  }
}

}  // namespace navigator
