// What an agent is made of; its functions are in believing.cpp (which world is used), passes.cpp (the machine) and
// agent.cpp (starting, waiting, telling).
//
// Threads: one object on one loop.
#pragma once

#include "mesh/agent/agent.hpp"

#include "mesh/agent/belief/identity.hpp"
#include "mesh/agent/belief/second_look.hpp"
#include "mesh/agent/belief/worlds.hpp"
#include "mesh/agent/gauges.hpp"
#include "mesh/agent/rotation/rotation.hpp"
#include "mesh/agent/trial/remembered.hpp"
#include "mesh/guard/events.hpp"
#include "mesh/passing_on/keeper.hpp"
#include "mesh/reconcile/reconciler.hpp"
#include "mesh/repair/preparer.hpp"
#include "mesh/repair/repairer.hpp"
#include "routing/anycast/announcer.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace agent {

std::int64_t wall_clock_s();
Instant instant();

struct Agent::State {
  State(net::asio::any_io_executor its_executor, AgentSettings its_settings, process::Metrics& its_metrics)
      : executor(its_executor),
        settings(std::move(its_settings)),
        metrics(its_metrics),
        wake(its_executor),
        worlds(settings.state_directory),
        identity(settings.state_directory),
        announcer(its_executor, bird::Control(settings.bird.control_socket), [this](auto const&) { let_pass(); }),
        repairer(its_executor, {settings.session_log, settings.bird.control_socket}),
        detours(its_executor, [this](repair::Detours made) { repairer.prepare(std::move(made)); }),
        gauges(its_metrics) {
    status.node = settings.node;
    status.controller_url = settings.controller_url;
  }

  net::asio::any_io_executor executor;
  AgentSettings settings;
  process::Metrics& metrics;
  net::Signal wake;
  Worlds worlds;
  SecondLook second_look;  // at files
  Identity identity;
  anycast::Announcer announcer;
  repair::Repairer repairer;
  repair::Preparer detours;
  passing_on::Keeper withdrawn;
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
    bool saved = true;  // false: becomes last-known when it holds
  };
  std::shared_ptr<plan::World const> world;  // of in_use
  InUse in_use;
  Changes changes;                      // which one that is
  std::map<std::int64_t, InUse> known;  // worlds that `changes` may still ask for, by revision
  std::tuple<std::int64_t, unsigned, bool> remembered{-1, 0, false};  // in the file: revision, tries, not judged yet
  std::set<std::string> troubles_before;  // failures that the machine had before what is on trial came
  Rotation rotation;
  // What the last pass went by: planned again only when something of it is different.
  struct Planned {
    std::shared_ptr<plan::World const> world;
    std::set<std::string> left;
    std::set<std::string> announced;
    std::shared_ptr<plan::NodePlan const> plan;
    std::string live_bird;
  } planned;

  Gauges gauges;

  void notify() {
    woken = true;
    wake.notify();
  }

  // believing.cpp
  void use(InUse next);
  void take(InUse next, Offer offer, bool on_trial);  // the world now or later, as `changes` says
  [[nodiscard]] Seen seen() const;
  [[nodiscard]] FollowerSettings::Newest newest() const;  // of all that are known here
  void forget_worlds();
  // The world when this node may believe it and can be planned from it. Whatever is wrong, nothing has changed.
  base::Result<void> adopt(signed_world::SignedWorld candidate, Source source);
  base::Result<void> adopt_document(plan::WorldDocument document, signed_world::SignedWorld text, Source source);
  // The key that this node is changing to has become its key by this world. What is in use goes on with it, when it has
  // a place for it: so that the world is tried against that like any other. False: there is no way back.
  bool go_on_with_new_key(plan::WorldDocument const& document);
  void refused(std::string const& what);
  void failed(std::string const& what);
  void let_pass();           // what comes for withdrawn services; before one is announced again, too (passes.cpp)
  void drop_removed_keys();  // that a world which is not used otherwise called so
  base::Result<std::int64_t> take_from_controller(signed_world::SignedWorld candidate);
  // What a file says, when there is one and it is believed.
  void consider_file(std::string const& file, Source source);
  void consider_snapshots();  // the newest that is believed, and newer than what is in use
  void load_first_world();
  void look_at_files_again();  // when one of them was refused because the clock was behind
  // A bare topology does not say which numbers the controller gave out, so it waits a while for the controller.
  void consider_bare_seed();

  // passes.cpp
  void account(reconcile::Pass pass);
  // Plans when it has to. Null: `failed` was told why.
  std::shared_ptr<plan::NodePlan const> plan_of(std::shared_ptr<plan::World const> const& of);
  static net::Task<void> pass(std::shared_ptr<State> self);
  // Whether the last change from the controller holds, and what comes instead when it does not.
  static net::Task<void> judge_trial(std::shared_ptr<State> self);
  static net::Task<void> ask_controller(std::shared_ptr<State> self);
  // Without what is known to have been removed since it came. Null when it is of no use any more.
  std::optional<InUse> usable(InUse of);
  void go_back(Seen const& seen);
  void use_other();
  void remember_what_was_taken_back();
  // This node's part in changing its key: makes and shows the next one, says when every link runs with it.
  static net::Task<void> change_key(std::shared_ptr<State> self, std::shared_ptr<plan::NodePlan const> plan);
  void keep_world(std::shared_ptr<plan::World const> const& applied);

  // agent.cpp
  base::Result<void> open();
  static net::Task<void> watch_interfaces(std::shared_ptr<State> self);
  static net::Task<void> watch_for_damage(std::shared_ptr<State> self, guard::Events::Of of);
  static net::Task<void> wait_for_reason(std::shared_ptr<State> self, bool clean);
  static net::Task<base::Result<void>> run(std::shared_ptr<State> self);
  [[nodiscard]] Status full_status() const;
};

}  // namespace agent
