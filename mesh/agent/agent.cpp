#include "mesh/agent/agent.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "mesh/agent/belief/checks.hpp"
#include "mesh/agent/belief/identity.hpp"
#include "mesh/agent/belief/worlds.hpp"
#include "mesh/agent/gauges.hpp"
#include "mesh/agent/rotation.hpp"
#include "mesh/agent/trial.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "topology/load.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

namespace agent {
namespace {

using std::chrono::milliseconds;

// Events come in bursts (a device brings an address, a route, a flag): look once after the burst.
constexpr milliseconds burst{100};
constexpr milliseconds try_again{1000};  // after a pass that left something undone
// How long a start waits for the controller before a bare topology file will do.
constexpr std::chrono::seconds seed_patience{5};

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

struct Agent::State {
  State(net::asio::any_io_executor its_executor, AgentSettings its_settings, process::Metrics& its_metrics)
      : executor(its_executor),
        settings(std::move(its_settings)),
        metrics(its_metrics),
        wake(its_executor),
        worlds(settings.state_directory),
        identity(settings.state_directory),
        announcer(its_executor, bird::Control(settings.bird.control_socket)),
        repairer(its_executor, {settings.session_log, settings.bird.control_socket}),
        gauges(its_metrics) {
    status.node = settings.node;
    status.controller_url = settings.controller_url;
  }

  net::asio::any_io_executor executor;
  AgentSettings settings;
  process::Metrics& metrics;
  net::Signal wake;
  Worlds worlds;
  Identity identity;
  anycast::Announcer announcer;
  repair::Repairer repairer;
  std::unique_ptr<Follower> follower;
  std::unique_ptr<reconcile::Reconciler> reconciler;
  std::map<std::string, std::function<std::string()>> sections;
  Status status;
  bool stopping = false;
  bool seed_tried = false;
  std::chrono::steady_clock::time_point const started = std::chrono::steady_clock::now();
  bool woken = false;  // a Signal does not remember: this does

  // What is in use: the world, and the text it came in.
  struct InUse {
    std::shared_ptr<plan::World const> world;
    plan::WorldDocument document;
    signed_world::SignedWorld text;
    Source source = Source::none;
    bool saved = true;  // false: becomes last-known after the first clean pass
  };
  std::shared_ptr<plan::World const> world;  // of in_use
  InUse in_use;
  std::optional<InUse> before;  // while `trial` runs: where to go back to
  std::optional<Trial> trial;
  std::optional<InUse> taken_back;  // what was rolled back: taken after all when it was not the cause
  Moment taken_back_at{};
  std::set<std::string> taken_back_for;  // neighbours that were missing then
  Rotation rotation;
  std::shared_ptr<plan::World const> detours_of;  // what the detours were made from
  std::set<std::string> detours_left;

  Gauges gauges;

  void notify() {
    woken = true;
    wake.notify();
  }

  void use(InUse next) {
    in_use = std::move(next);
    world = in_use.world;
    status.revision = world->revision;
    status.source = in_use.source;
    reconciler->set_keys(identity.own(), identity.next());
    process::log::info("agent", "world of revision {} from {}", world->revision, name(in_use.source));
    settings.in_use(*world);
  }

  // The world when this node may believe it and can be planned from it. Whatever is wrong, nothing has changed.
  base::Result<void> adopt(signed_world::SignedWorld candidate, Source source) {
    std::vector<std::string> struck;
    auto document = worlds.believe(candidate, wall_clock_s(), struck);
    if (!document) {
      return document.error();
    }
    if (auto adopted = adopt_document(std::move(*document), std::move(candidate), source); !adopted) {
      return adopted.error();
    }
    for (auto const& node : struck) {
      refused("the key of '" + node + "' in revision " + std::to_string(status.revision) + " of " + name(source) +
              " was removed later: it stays removed");
    }
    return {};
  }

  base::Result<void> adopt_document(plan::WorldDocument document, signed_world::SignedWorld text, Source source) {
    if (world && document.revision < world->revision) {
      return base::fail(errc::older, "revision " + std::to_string(document.revision) + " is older than " +
                                         std::to_string(world->revision) + ", which is in use");
    }
    if (auto ours = check_for_us(document, settings.node, identity, source == Source::controller); !ours) {
      return ours.error();
    }
    auto built = plan::build_world(document, std::string(name(source)) + " topology");
    if (!built) {
      return built.error();
    }
    auto const planned = plan::plan_node(*built, settings.node);
    if (!planned) {
      return planned.error();
    }
    if (world && source == Source::controller) {
      if (auto linked = check_links(*world, *built, settings.node); !linked) {
        return linked.error();
      }
    }
    auto const own_before = identity.own_public();
    if (auto const found = document.nodes.find(settings.node);
        found != document.nodes.end() && found->second == identity.next_public()) {
      if (auto taken = identity.take_next(); !taken) {
        return taken.error();
      }
      status.public_key = identity.own_public();
    }
    bool const new_key = identity.own_public() != own_before;
    if (new_key) {  // there is no way back to the old one
      trial.reset();
      before.reset();
    } else if (world && source == Source::controller && status.last_pass_s != 0 &&
               !only_costs(in_use.document, document)) {
      auto known = reached(status.last_pass.neighbors);
      // A world on trial that has cost nothing so far is what to go back to; one that has is not.
      if (!trial || std::includes(known.begin(), known.end(), trial->neighbors.begin(), trial->neighbors.end())) {
        before = in_use;
      }
      if (trial) {
        known.insert(trial->neighbors.begin(), trial->neighbors.end());  // what is missing since the one before
      }
      trial = begin_trial(*planned, known, follower->status().connected,
                          std::chrono::seconds(built->topology.mesh.ospf.dead_s), std::chrono::steady_clock::now());
    }
    taken_back.reset();
    use({std::make_shared<plan::World const>(std::move(*built)), std::move(document), std::move(text), source,
         source != Source::controller});
    return {};
  }

  void refused(std::string const& what) {
    if (status.refused.empty() || status.refused.back().text != what) {
      process::log::warning("agent", "{}", what);
    }
    remember(status.refused, what, wall_clock_s());
  }

  void failed(std::string const& what) {
    if (status.failures.empty() || status.failures.back().text != what) {
      process::log::error("agent", "{}", what);
    }
    remember(status.failures, what, wall_clock_s());
    gauges.failures.add();
  }

  // The revision of what the controller said, unless it is not the controller's word.
  base::Result<std::int64_t> take_from_controller(signed_world::SignedWorld candidate) {
    auto const document = plan::parse_world_document(candidate.text);
    auto const revision = document ? document->revision : 0;
    auto const adopted = adopt(std::move(candidate), Source::controller);
    if (adopted) {
      notify();
      return revision;
    }
    refused("the controller's world of revision " + std::to_string(revision) +
            " is not used: " + adopted.error().what());
    bool const word = adopted.error().code.category() != make_error_code(signed_world::errc::forged).category();
    return word ? base::Result<std::int64_t>(revision) : adopted.error();
  }

  // What a file says, when there is one and it is believed.
  void consider_file(std::string const& file, Source source) {
    auto const text = process::read_file(file);
    if (!text) {
      return;
    }
    auto parsed = signed_world::parse_signed_world(*text);
    auto const document = parsed ? plan::parse_world_document(parsed->text) : parsed.error();
    bool const newer = document && (!world || document->revision > world->revision);
    auto adopted = parsed ? base::Result<void>() : base::Result<void>(parsed.error());
    if (parsed && (newer || !document)) {
      adopted = adopt(std::move(*parsed), source);
    } else if (parsed) {
      std::vector<std::string> struck;
      auto const believed = worlds.believe(*parsed, wall_clock_s(), struck);  // for what it says was removed
      adopted = believed ? base::Result<void>() : base::Result<void>(believed.error());
    }
    if (!adopted) {
      refused(file + " is not used: " + adopted.error().what());
    }
  }

  void load_first_world() {
    // What the node was told when it joined, and what its operator put here, may know of removals that an older
    // snapshot does not; the highest revision that is believed wins.
    consider_file(enrolment::NodeFiles(settings.state_directory).joined_world, Source::last_known);
    auto joined = std::exchange(in_use, InUse{});
    joined.saved = false;  // a generation of its own once it was applied
    world.reset();
    std::vector<std::string> passed_over;
    auto const accept = [this](signed_world::SignedWorld const& candidate) {
      return adopt(candidate, Source::last_known);
    };
    static_cast<void>(worlds.snapshots().newest(passed_over, accept));
    for (auto const& sentence : passed_over) {
      refused(sentence);
    }
    if (joined.world && (!world || joined.world->revision > world->revision)) {
      use(std::move(joined));
    }
    consider_file(settings.state_directory + "/seed.json", Source::seed);
  }

  // A bare topology does not say which numbers the controller gave out, so it waits a while for the controller.
  void consider_bare_seed() {
    bool const due = settings.controller_url.empty() || std::chrono::steady_clock::now() - started >= seed_patience;
    if (world || seed_tried || settings.seed_topology.empty() || !due) {
      return;
    }
    seed_tried = true;
    auto made = seed_of_topology(settings.seed_topology);
    // Without keys in it, it needs no signature: it brings nobody in.
    auto adopted = made ? adopt_document(std::move(*made), {}, Source::seed) : base::Result<void>(made.error());
    if (!adopted) {
      failed("the seed " + settings.seed_topology + " is not used: " + adopted.error().what());
    }
  }

  base::Result<void> open() {
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
    reconciler = std::make_unique<reconcile::Reconciler>(std::move(*backend), settings.bird, settings.state_directory);
    reconciler->set_keys(identity.own(), identity.next());
    return {};
  }

  void account(reconcile::Pass pass) {
    gauges.passes.add();
    for (auto const& change : pass.changes) {
      remember(status.changes, change, wall_clock_s());
      gauges.changes.add();
    }
    for (auto const& failure : pass.failures) {
      failed(failure);
    }
    status.last_pass = std::move(pass);
    status.last_pass_s = wall_clock_s();
    gauges.show(status, follower->status().connected);
  }

  static net::Task<void> pass(std::shared_ptr<State> self) {
    auto const world = self->world;
    plan::PlanOptions options;
    options.left = self->rotation.left;
    options.bird.session_log = self->settings.session_log;
    auto planned = plan::plan_node(*world, self->settings.node, options);
    if (!planned) {
      self->failed(planned.error().what());
      co_return;
    }
    auto const plan = std::make_shared<plan::NodePlan const>(std::move(*planned));
    options.bird.announced = self->announcer.announced();
    auto live = plan->bird;
    if (!options.bird.announced.empty()) {
      live = plan::plan_node(*world, self->settings.node, options).value().bird;
    }
    auto pass = co_await self->reconciler->run(plan, world, std::move(live), self->trial.has_value());
    self->status.waiting = plan->waiting;
    self->status.warnings = plan->warnings;
    self->account(std::move(pass));
    self->prepare_detours(world, plan);
    // The statics of a new service exist when BIRD has taken the configuration.
    self->announcer.serve(plan->services, world->topology.domain);
    co_await judge_trial(self);
    if (world != self->world) {  // another one came meanwhile: what follows is about that, and this plan is not its
      self->notify();
      co_return;
    }
    self->keep_world(world);
    bool const moved = self->rotation.observe(*plan, self->status.last_pass.neighbors, std::chrono::steady_clock::now());
    self->woken = self->woken || moved;
    co_await change_key(self, plan);
  }

  // Once for each world and set of devices: it is a run of Dijkstra for each neighbour.
  void prepare_detours(std::shared_ptr<plan::World const> const& of,
                       std::shared_ptr<plan::NodePlan const> const& plan) {
    if (settings.session_log.empty() || (of == detours_of && rotation.left == detours_left)) {
      return;
    }
    repairer.prepare(repair::detours_of(*of, *plan));
    detours_of = of;
    detours_left = rotation.left;
  }

  // Whether the last change from the controller holds.
  static net::Task<void> judge_trial(std::shared_ptr<State> self) {
    if (!self->trial) {
      self->consider_taken_back();
      co_return;
    }
    auto const revision = self->trial->revision;  // a world that comes during a wait ends this trial
    auto const goes_on = [&self, revision] { return self->trial && self->trial->revision == revision; };
    if (self->trial->controller && !self->trial->controller_seen) {
      auto const path = "/v1/world?since=" + std::to_string(revision) + "&wait_ms=0";
      auto const answer = co_await self->follower->ask("GET", path, "");
      if (!goes_on()) {
        co_return;
      }
      self->trial->controller_seen = answer.has_value();
    }
    auto const now_reached = reached(self->status.last_pass.neighbors);
    switch (judge(*self->trial, now_reached, std::chrono::steady_clock::now())) {
      case Verdict::waiting:
        break;
      case Verdict::passed: {
        auto const confirmed = co_await self->reconciler->confirm();
        if (!confirmed) {
          self->failed(confirmed.error().what());
        }
        if (goes_on()) {
          self->trial.reset();
          self->before.reset();
        }
        break;
      }
      case Verdict::failed:
        self->take_back(now_reached);
        break;
    }
  }

  // Nobody who was removed meanwhile comes back by it, and it does not go back behind a change of keys: the old ones
  // are gone for good.
  bool make_before_usable() {
    auto const struck = worlds.strike(before->document);
    bool const keys_changed = std::any_of(
        struck.begin(), struck.end(), [&](std::string const& node) { return in_use.document.nodes.contains(node); });
    auto built = plan::build_world(before->document, "the topology before");
    if (keys_changed || !built || !plan::plan_node(*built, settings.node)) {
      return false;
    }
    before->world = std::make_shared<plan::World const>(std::move(*built));
    return true;
  }

  void take_back(std::set<std::string> const& now_reached) {
    auto const what = "since revision " + std::to_string(trial->revision) + " came, this node no longer reaches " +
                      missing(*trial, now_reached);
    taken_back_for = trial->neighbors;
    std::erase_if(taken_back_for, [&](std::string const& router) { return now_reached.contains(router); });
    trial.reset();
    if (!make_before_usable()) {
      before.reset();
      refused(what + "; it stays, because keys have changed with it");
      return;
    }
    refused(what + ": it was taken back");
    taken_back = std::move(in_use);
    taken_back_at = std::chrono::steady_clock::now();
    use(*std::exchange(before, std::nullopt));
    notify();
  }

  // Whoever is still missing after the change was taken back is missing for another reason.
  void consider_taken_back() {
    if (!taken_back || std::chrono::steady_clock::now() - taken_back_at < trial_time) {
      return;
    }
    auto const now_reached = reached(status.last_pass.neighbors);
    bool const cause = std::any_of(taken_back_for.begin(), taken_back_for.end(),
                                   [&](std::string const& router) { return now_reached.contains(router); });
    auto again = *std::exchange(taken_back, std::nullopt);
    if (!cause && !taken_back_for.empty() && again.world->revision > world->revision) {
      refused("revision " + std::to_string(again.world->revision) +
              " is used after all: it was not what cut this node off");
      use(std::move(again));
      notify();
    }
  }

  // This node's part in changing its key: makes and shows the next one, says when every link runs with it.
  static net::Task<void> change_key(std::shared_ptr<State> self, std::shared_ptr<plan::NodePlan const> plan) {
    auto const& document = self->in_use.document;
    auto const step =
        self->rotation.step(document, self->settings.node, self->identity, *plan, std::chrono::steady_clock::now());
    if (step == Rotation::Step::none || self->in_use.source != Source::controller) {
      co_return;
    }
    base::Result<void> done;
    if (step == Rotation::Step::drop) {
      done = self->identity.drop_next();
    } else if (step == Rotation::Step::offer) {
      done = co_await offer_next_key(self->follower.get(), self->settings.node, &self->identity);
    } else {
      auto const body = "{\"done\":\"" + self->identity.next_public() + "\"}";
      auto const told = co_await self->follower->ask("POST", "/v1/rotation", body);
      done = told ? base::Result<void>() : base::Result<void>(told.error());
    }
    if (!done) {
      self->failed("changing this node's key: " + done.error().what());
    }
    self->reconciler->set_keys(self->identity.own(), self->identity.next());
  }

  // Last-known means: was applied here without a failure.
  void keep_world(std::shared_ptr<plan::World const> const& applied) {
    if (in_use.saved || trial || applied != world || !status.last_pass.failures.empty()) {
      return;
    }
    if (auto saved = worlds.snapshots().save(in_use.text, world->revision); !saved) {
      failed("keeping the world: " + saved.error().what());
      return;
    }
    in_use.saved = true;
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
                              self->settings.state_directory, self->settings.node, self->settings.examine};
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
    self->follower->start(self->status.source == Source::last_known ? self->status.revision : 0);
    net::spawn(self->executor, "watching interfaces", watch_interfaces(self));
    self->repairer.start();
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
      bool const calm = self->world && in_order(self->status) && !self->trial && !self->rotation.running();
      co_await wait_for_reason(self, calm);
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
    out.repair = repairer.status();
    out.round_trips = settings.round_trips();
    out.verified = worlds.verifies();
    out.trial_revision = trial ? trial->revision : -1;
    out.changing_key = rotation.running() || identity.next().is_set();
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
