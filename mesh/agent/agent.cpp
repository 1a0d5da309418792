#include "mesh/agent/agent.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "mesh/agent/snapshots.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "topology/load.hpp"

#include <boost/asio/this_coro.hpp>

#include <filesystem>
#include <optional>

namespace agent {
namespace {

using std::chrono::milliseconds;

// Events come in bursts (a device brings an address, a route, a flag): look once after the burst.
constexpr milliseconds burst{100};
// A pass that left something undone is tried again sooner than the next look.
constexpr milliseconds try_again{1000};

// How long a start waits for the controller before a bare topology file will do.
constexpr std::chrono::seconds seed_patience{5};

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void remember(std::deque<TimedText>& list, std::string const& text) {
  // The same failure every few seconds is one line, with the time it was last seen.
  if (!list.empty() && list.back().text == text) {
    list.back().at_s = wall_clock_s();
    return;
  }
  list.push_back({wall_clock_s(), text});
  if (list.size() > Status::history_limit) {
    list.pop_front();
  }
}

// A bare topology knows no keys: the node gets its addresses and routing, and its links when the controller answers.
base::Result<plan::WorldDocument> seed_of_topology(std::string const& file) {
  auto text = process::read_file(file);
  if (!text) {
    return text.error();
  }
  auto const topology = topology::load_topology(*text, file);
  if (!topology) {
    return base::fail(plan::errc::bad_topology, base::text(topology.error()));
  }
  auto const allocation = topology::allocate(*topology, {}, 0);
  if (!allocation) {
    return allocation.error();
  }
  plan::WorldDocument out;
  out.topology = std::move(*text);
  out.allocation = topology::to_text(*allocation);
  return out;
}

}  // namespace

struct Agent::State {
  State(net::asio::any_io_executor its_executor, AgentSettings its_settings, process::Metrics& its_metrics)
      : executor(its_executor),
        settings(std::move(its_settings)),
        metrics(its_metrics),
        wake(its_executor),
        snapshots(settings.state_directory + "/worlds"),
        announcer(its_executor, bird::Control(settings.bird.control_socket)) {
    status.node = settings.node;
    status.controller_url = settings.controller_url;
    revision_gauge = metrics.gauge("privateer_revision", "Revision of the world this node is planned from");
    full_gauge = metrics.gauge("privateer_neighbors_full", "OSPF neighbours in state Full, both address families");
    device_gauge = metrics.gauge("privateer_devices", "WireGuard devices of this node");
    order_gauge = metrics.gauge("privateer_in_order", "1 while nothing differs and nothing fails");
    controller_gauge = metrics.gauge("privateer_controller_connected", "1 while the controller answers");
    change_counter = metrics.counter("privateer_changes_total", "Changes made to this machine");
    failure_counter = metrics.counter("privateer_failures_total", "Failures while looking at or changing this machine");
    pass_counter = metrics.counter("privateer_passes_total", "Passes over this machine");
  }

  net::asio::any_io_executor executor;
  AgentSettings settings;
  process::Metrics& metrics;
  net::Signal wake;
  Snapshots snapshots;
  anycast::Announcer announcer;
  std::unique_ptr<Follower> follower;
  std::unique_ptr<reconcile::Reconciler> reconciler;
  std::map<std::string, std::function<std::string()>> sections;
  Status status;
  bool stopping = false;
  bool seed_tried = false;
  std::chrono::steady_clock::time_point const started = std::chrono::steady_clock::now();
  bool woken = false;  // a Signal does not remember: this does

  std::shared_ptr<plan::World const> world;
  plan::WorldDocument document;  // of `world`
  bool document_saved = true;    // false: to be saved after the first clean pass

  process::Gauge revision_gauge, full_gauge, device_gauge, order_gauge, controller_gauge;
  process::Counter change_counter, failure_counter, pass_counter;

  void notify() {
    woken = true;
    wake.notify();
  }

  // The document's world when this node can be planned from it.
  base::Result<void> adopt(plan::WorldDocument candidate, Source source) {
    if (world && candidate.revision < world->revision) {
      return base::fail(errc::no_world, "revision " + std::to_string(candidate.revision) + " is older than " +
                                            std::to_string(world->revision) + ", which is in use");
    }
    auto built = plan::build_world(candidate, std::string(name(source)) + " topology");
    if (!built) {
      return built.error();
    }
    if (auto planned = plan::plan_node(*built, settings.node); !planned) {
      return planned.error();
    }
    world = std::make_shared<plan::World const>(std::move(*built));
    document = std::move(candidate);
    document_saved = source != Source::controller;
    status.revision = world->revision;
    status.source = source;
    process::log::info("agent", "world of revision {} from {}", world->revision, name(source));
    return {};
  }

  void failed(std::string const& what) {
    if (status.failures.empty() || status.failures.back().text != what) {
      process::log::error("agent", "{}", what);
    }
    remember(status.failures, what);
    failure_counter.add();
  }

  void take_from_controller(plan::WorldDocument candidate) {
    auto const revision = candidate.revision;
    if (auto adopted = adopt(std::move(candidate), Source::controller); !adopted) {
      failed("the controller's world of revision " + std::to_string(revision) +
             " is not used: " + adopted.error().what());
      return;
    }
    notify();
  }

  void load_first_world() {
    std::vector<std::string> damaged;
    auto known = snapshots.newest(damaged);
    for (auto const& sentence : damaged) {
      failed(sentence);
    }
    if (known) {
      if (auto adopted = adopt(std::move(*known), Source::last_known); adopted) {
        return;
      } else {
        failed("the last-known world is not used: " + adopted.error().what());
      }
    }
    auto const seed = settings.state_directory + "/seed.json";
    if (auto const text = process::read_file(seed)) {
      auto parsed = plan::parse_world_document(*text);
      auto adopted = parsed ? adopt(std::move(*parsed), Source::seed) : base::Result<void>(parsed.error());
      if (adopted) {
        return;
      }
      failed("the seed " + seed + " is not used: " + adopted.error().what());
    }
  }

  // A bare topology does not say which numbers the controller gave out, so it waits a while for the controller.
  void consider_bare_seed() {
    bool const due = settings.controller_url.empty() || std::chrono::steady_clock::now() - started >= seed_patience;
    if (world || seed_tried || settings.seed_topology.empty() || !due) {
      return;
    }
    seed_tried = true;
    auto made = seed_of_topology(settings.seed_topology);
    auto adopted = made ? adopt(std::move(*made), Source::seed) : base::Result<void>(made.error());
    if (!adopted) {
      failed("the seed " + settings.seed_topology + " is not used: " + adopted.error().what());
    }
  }

  base::Result<void> open() {
    enrolment::NodeFiles const files(settings.state_directory);
    std::error_code error;
    if (!std::filesystem::exists(files.wireguard_key, error)) {
      return base::fail(errc::not_joined, files.wireguard_key + " is missing; run 'privateer join' first");
    }
    auto key = enrolment::load_or_make_wireguard_key(files.wireguard_key);
    if (!key) {
      return key.error();
    }
    status.public_key = wireguard::public_key(*key).to_base64();
    auto backend = wireguard::Backend::choose(settings.wireguard);
    if (!backend) {
      return backend.error();
    }
    status.backend = backend->name();
    reconciler = std::make_unique<reconcile::Reconciler>(std::move(*backend), std::move(*key), settings.bird,
                                                         settings.state_directory);
    return {};
  }

  void account(reconcile::Pass pass) {
    pass_counter.add();
    for (auto const& change : pass.changes) {
      remember(status.changes, change);
      change_counter.add();
    }
    for (auto const& failure : pass.failures) {
      failed(failure);
    }
    status.last_pass = std::move(pass);
    status.last_pass_s = wall_clock_s();
    std::size_t full = 0;
    for (auto const& neighbor : status.last_pass.neighbors) {
      full += neighbor.full() ? 1U : 0U;
    }
    full_gauge.set(static_cast<double>(full));
    device_gauge.set(static_cast<double>(status.last_pass.devices.size()));
    revision_gauge.set(static_cast<double>(status.revision));
    order_gauge.set(in_order(status) ? 1 : 0);
    controller_gauge.set(follower->status().connected ? 1 : 0);
  }

  static net::Task<void> pass(std::shared_ptr<State> self) {
    auto const world = self->world;
    plan::PlanOptions options;
    auto const planned = plan::plan_node(*world, self->settings.node, options);
    if (!planned) {
      self->failed(planned.error().what());
      co_return;
    }
    auto const plan = std::make_shared<plan::NodePlan const>(*planned);
    options.bird.announced = self->announcer.announced();
    auto live = options.bird.announced.empty()
                    ? plan->bird
                    : bird::render(world->topology, world->allocation, self->settings.node, options.bird);
    auto pass = co_await self->reconciler->run(plan, world, std::move(live));
    self->status.waiting = plan->waiting;
    self->status.warnings = plan->warnings;
    self->account(std::move(pass));
    // The statics of a new service exist when BIRD has taken the configuration.
    self->announcer.serve(plan->services, world->topology.domain);
    self->keep_world(world);
  }

  // Last-known means: was applied here without a failure.
  void keep_world(std::shared_ptr<plan::World const> const& applied) {
    if (document_saved || applied != world || !status.last_pass.failures.empty()) {
      return;
    }
    if (auto saved = snapshots.save(document); !saved) {
      failed("keeping the world: " + saved.error().what());
      return;
    }
    document_saved = true;
  }

  static net::Task<void> watch_interfaces(std::shared_ptr<State> self) {
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

  static net::Task<void> wait_for_reason(std::shared_ptr<State> self, bool clean) {
    if (!self->woken) {
      co_await self->wake.wait(clean ? self->settings.look_interval : try_again);
    }
    if (self->woken && !self->stopping) {
      co_await net::wait_for(burst);
    }
    self->woken = false;
  }

  static net::Task<base::Result<void>> run(std::shared_ptr<State> self) {
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
    FollowerSettings settings{self->settings.controller_url, self->settings.controller_name,
                              self->settings.state_directory, self->settings.node};
    self->follower = std::make_unique<Follower>(
        self->executor, std::move(settings),
        [weak](plan::WorldDocument candidate) {
          if (auto const state = weak.lock()) {
            state->take_from_controller(std::move(candidate));
          }
        },
        [weak] {
          auto const state = weak.lock();
          return state ? report_json(state->full_status()) : std::string("{}");
        });
    self->follower->start(self->status.source == Source::last_known ? self->status.revision : 0);
    net::spawn(self->executor, "watching interfaces", watch_interfaces(self));
    bool ready = false;
    while (!self->stopping) {
      self->consider_bare_seed();
      if (self->world) {
        co_await pass(self);
      }
      if (!ready) {
        process::notify_service_manager("READY=1");
        ready = true;
      }
      process::notify_service_manager("STATUS=" + verdict(self->status));
      co_await wait_for_reason(self, self->world && in_order(self->status));
    }
    process::notify_service_manager("STOPPING=1");
    co_return base::Result<void>();
  }

  [[nodiscard]] Status full_status() const {
    Status out = status;
    if (follower) {
      out.controller = follower->status();
    }
    out.services = announcer.status();
    for (auto const& [section, json] : sections) {
      out.sections[section] = json();
    }
    return out;
  }
};

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
  router.add("GET", "/metrics",
             [state](net::HttpRequest const&) { return answer(net::HttpResponse::text(200, state->metrics.text())); });
  router.add("GET", "/healthz", [state](net::HttpRequest const&) {
    auto const status = state->full_status();
    return answer(net::HttpResponse::text(in_order(status) ? 200 : 503, verdict(status) + "\n"));
  });
}

}  // namespace agent
