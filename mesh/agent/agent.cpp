#include "mesh/agent/agent.hpp"

#include "base/process/service.hpp"
#include "mesh/agent/state.hpp"

#include <boost/asio/this_coro.hpp>

#include <filesystem>
#include <utility>

namespace agent {
namespace {

using std::chrono::milliseconds;

// Events come in bursts (a device brings an address, a route, a flag): look once after the burst.
constexpr milliseconds burst{100};
// Other programs may change their rules all the time, and each change that is noticed starts nft once.
constexpr milliseconds rules_pause{1000};
// How long a start waits for the controller before it goes by what it has: the world that this machine is at may have
// been on trial when the last agent ended, and then is not the last-known one.
constexpr milliseconds first_word{500};
// A pass that left something undone is tried again sooner than the next look.
constexpr milliseconds try_again{1000};

}  // namespace

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Instant instant() {
  return {std::chrono::steady_clock::now(), wall_clock_s()};
}

base::Result<void> Agent::State::open() {
  if (auto opened = identity.open(); !opened) {
    return opened.error();
  }
  if (auto opened = worlds.open(); !opened) {
    return opened.error();
  }
  status.public_key = identity.own_public();
  auto backend = wireguard::Backend::choose(settings.wireguard);
  if (!backend) {
    return backend.error();
  }
  status.backend = backend->name();
  reconciler = std::make_unique<reconcile::Reconciler>(std::move(*backend), settings.bird, settings.nft,
                                                       settings.state_directory);
  reconciler->set_keys(identity.own(), identity.next());
  return {};
}

net::Task<void> Agent::State::watch_interfaces(std::shared_ptr<State> self) {
  auto events = wireguard::LinkEvents::open(self->executor);
  if (!events) {
    self->failed("no netlink events, drift is found by looking only: " + events.error().what());
    co_return;
  }
  while (!self->stopping) {
    bool const happened = co_await events->wait(self->settings.look_interval);
    if (happened) {
      self->notify();
      bool const waited = co_await net::wait_for(burst);
      if (!waited) {
        break;
      }
    }
  }
}

// Routes of strangers, kernel settings and packet-filter rules.
net::Task<void> Agent::State::watch_for_damage(std::shared_ptr<State> self, guard::Events::Of of) {
  auto events = guard::Events::open(self->executor, of);
  if (!events) {
    self->failed("damage is found by looking only: " + events.error().what());
    co_return;
  }
  while (!self->stopping) {
    bool const happened = co_await events->wait(self->settings.look_interval);
    if (happened) {
      self->reconciler->look_at_routes();
      self->notify();
      bool const waited = co_await net::wait_for(of == guard::Events::Of::rules ? rules_pause : burst);
      if (!waited) {
        break;
      }
    }
  }
}

net::Task<void> Agent::State::wait_for_reason(std::shared_ptr<State> self, bool clean) {
  if (!self->woken) {
    co_await self->wake.wait(clean ? self->settings.look_interval : try_again);
  }
  if (self->woken && !self->stopping) {
    co_await net::wait_for(burst);
  }
  self->woken = false;
}

net::Task<base::Result<void>> Agent::State::run(std::shared_ptr<State> self) {
  std::error_code error;
  std::filesystem::create_directories(self->settings.state_directory, error);
  auto const lock = process::LockFile::acquire(self->settings.state_directory + "/agent.lock");
  if (!lock) {
    co_return lock.error();
  }
  if (auto opened = self->open(); !opened) {
    co_return opened.error();
  }
  self->load_first_world();
  std::weak_ptr<State> const weak = self;
  FollowerSettings settings{self->settings.controller_url,
                            self->settings.controller_name,
                            self->settings.state_directory,
                            self->settings.node,
                            self->settings.examine,
                            [weak] {
                              auto const state = weak.lock();
                              return state ? state->newest() : FollowerSettings::Newest();
                            }};
  self->follower = std::make_unique<Follower>(
      self->executor, std::move(settings),
      [weak](signed_world::SignedWorld candidate) {
        auto const state = weak.lock();
        return state ? state->take_from_controller(std::move(candidate)) : base::Result<std::int64_t>(0);
      },
      [weak] {
        auto const state = weak.lock();
        return state ? report_json(state->full_status()) : std::string("{}");
      });
  // Whom this node reaches before anything is changed: what comes from the controller before the first pass is tried
  // against that. BIRD has gone on while no agent was here; after a reboot there is nobody.
  bird::Control const control(self->settings.bird.control_socket);
  auto neighbors = co_await control.ospf_neighbors();
  if (neighbors) {
    self->status.last_pass.neighbors = std::move(*neighbors);
  }
  self->follower->start(self->status.source == Source::last_known ? self->status.revision : 0);
  if (self->world && !self->settings.controller_url.empty()) {
    co_await self->wake.wait(first_word);
  }
  net::spawn(self->executor, "watching interfaces", watch_interfaces(self));
  net::spawn(self->executor, "watching routes", watch_for_damage(self, guard::Events::Of::routes_and_settings));
  if (!self->settings.nft.empty()) {
    net::spawn(self->executor, "watching rules", watch_for_damage(self, guard::Events::Of::rules));
  }
  self->repairer.start();
  bool ready = false;
  while (!self->stopping) {
    self->look_at_files_again();
    self->consider_bare_seed();
    if (self->world) {
      co_await pass(self);
    }
    if (!ready) {
      process::notify_service_manager("READY=1");
      ready = true;
    }
    process::notify_service_manager("STATUS=" + verdict(self->status));
    bool const calm = self->world && in_order(self->status) && !self->changes.trial() && !self->rotation.running();
    co_await wait_for_reason(self, calm);
  }
  process::notify_service_manager("STOPPING=1");
  co_return base::Result<void>();
}

Status Agent::State::full_status() const {
  Status out = status;
  if (follower) {
    out.controller = follower->status();
  }
  out.services = announcer.status();
  out.repair = repairer.status();
  out.round_trips = settings.round_trips();
  out.verified = worlds.verifies();
  out.trial_revision = changes.trial() ? changes.trial()->revision : -1;
  out.waiting_revision = changes.waiting();
  if (auto const& one = changes.taken_back()) {
    auto const wait = std::chrono::ceil<std::chrono::seconds>(one->next - std::chrono::steady_clock::now());
    out.taken_back = {one->offer.revision, missing(*one), one->tries,
                      wall_clock_s() + std::max<std::int64_t>(0, wait.count())};
  }
  out.changing_key = rotation.running() || identity.next().is_set();
  for (auto const& [section, json] : sections) {
    out.sections[section] = json();
  }
  return out;
}

Agent::Agent(net::asio::any_io_executor executor, AgentSettings settings, process::Metrics& metrics)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings), metrics)) {}

Agent::~Agent() {
  stop();
  state_->follower.reset();
}

net::Task<base::Result<void>> Agent::run() {
  return State::run(state_);
}

void Agent::stop() {
  state_->stopping = true;
  state_->notify();
}

Status Agent::status() const {
  return state_->full_status();
}

void Agent::add_section(std::string name, std::function<std::string()> json) {
  state_->sections[std::move(name)] = std::move(json);
}

namespace {

net::Task<net::HttpResponse> answer(net::HttpResponse response) {
  co_return response;
}

}  // namespace

void Agent::add_routes(net::Router& router) {
  auto const state = state_;
  router.add("GET", "/v1/status", [state](net::HttpRequest const&) {
    return answer(net::HttpResponse::json(200, to_json(state->full_status(), wall_clock_s())));
  });
  // What this node goes by now, which is not on disk before it holds.
  router.add("GET", "/v1/world", [state](net::HttpRequest const&) {
    auto const& text = state->in_use.text;
    return answer(text.text.empty() ? net::HttpResponse::problem(404, "none", "there is no world from elsewhere")
                                    : net::HttpResponse::json(200, signed_world::to_json(text)));
  });
  router.add("GET", "/metrics",
             [state](net::HttpRequest const&) { return answer(net::HttpResponse::text(200, state->metrics.text())); });
  router.add("GET", "/healthz", [state](net::HttpRequest const&) {
    auto const status = state->full_status();
    return answer(net::HttpResponse::text(in_order(status) ? 200 : 503, verdict(status) + "\n"));
  });
}

}  // namespace agent
