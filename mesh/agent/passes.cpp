// One look at the machine after the other, and what follows from each.
#include "mesh/agent/state.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace agent {

void Agent::State::account(reconcile::Pass pass) {
  gauges.passes.add();
  for (auto const& change : pass.changes) {
    remember(status.changes, change, wall_clock_s());
    gauges.changes.add();
  }
  for (auto const& failure : pass.failures) {
    failed(failure);
  }
  settings.looked(pass.devices);
  status.last_pass = std::move(pass);
  status.last_pass_s = wall_clock_s();
  gauges.show(status, follower->status().connected);
}

std::shared_ptr<plan::NodePlan const> Agent::State::plan_of(std::shared_ptr<plan::World const> const& of) {
  auto announced = announcer.announced();
  if (planned.plan && planned.world == of && planned.left == rotation.left && planned.announced == announced) {
    return planned.plan;
  }
  plan::PlanOptions options;
  options.left = rotation.left;
  options.bird.session_log = settings.session_log;
  options.bird.log_file = settings.bird.start.empty() ? "" : settings.bird.log_file;
  options.rules = !settings.nft.empty();
  auto made = plan::plan_node(*of, settings.node, options);
  if (!made) {
    failed(made.error().what());
    return nullptr;
  }
  planned = {of, rotation.left, announced, std::make_shared<plan::NodePlan const>(std::move(*made)), {}};
  planned.live_bird = planned.plan->bird;
  if (!announced.empty()) {
    options.bird.announced = std::move(announced);
    planned.live_bird = plan::plan_node(*of, settings.node, options).value().bird;
  }
  return planned.plan;
}

void Agent::State::let_pass() {
  if (auto kept = withdrawn.keep(announcer.status()); !kept) {
    failed(kept.error().what());
  }
}

net::Task<void> Agent::State::pass(std::shared_ptr<State> self) {
  auto const world = self->world;
  auto const plan = self->plan_of(world);
  if (!plan) {
    co_return;
  }
  auto live = self->planned.live_bird;
  auto const trial = self->changes.trial() ? self->changes.trial()->number : 0;
  auto pass = co_await self->reconciler->run(plan, world, std::move(live), trial);
  auto const& troubles = self->troubles_before;
  bool const clean = std::all_of(pass.failures.begin(), pass.failures.end(),
                                 [&](std::string const& failure) { return troubles.contains(failure); });
  if (clean && world == self->world) {
    self->changes.applied(std::chrono::steady_clock::now());
  }
  self->status.waiting = plan->waiting;
  self->status.warnings = plan->warnings;
  self->account(std::move(pass));
  if (!self->settings.session_log.empty()) {
    self->detours.prepare(world, plan);
  }
  // The statics of a new service exist when BIRD has taken the configuration.
  self->announcer.serve(plan->services, world->topology.domain);
  self->let_pass();
  co_await judge_trial(self);
  if (world != self->world) {  // another one came meanwhile: what follows is about that, and this plan is not its
    self->notify();
    co_return;
  }
  self->keep_world(world);
  bool const may_leave = !self->changes.trial();
  bool const moved =
      self->rotation.observe(*plan, self->status.last_pass.neighbors, std::chrono::steady_clock::now(), may_leave);
  self->woken = self->woken || moved;
  co_await change_key(self, plan);
}

// Whether it answers now that all else is seen again.
net::Task<void> Agent::State::ask_controller(std::shared_ptr<State> self) {
  if (!self->changes.asks_controller(self->seen(), std::chrono::steady_clock::now())) {
    co_return;
  }
  auto const number = self->changes.trial()->number;  // a world that comes during the wait may begin another
  bool const answered = co_await self->follower->reach();
  auto const& trial = self->changes.trial();
  if (trial && trial->number == number) {
    self->changes.controller_asked(answered);
  }
}

// Whether the last change from the controller holds, and what comes instead when it does not.
net::Task<void> Agent::State::judge_trial(std::shared_ptr<State> self) {
  co_await ask_controller(self);
  auto const seen = self->seen();
  if (!self->changes.trial()) {
    auto const& failures = self->status.last_pass.failures;
    self->troubles_before = {failures.begin(), failures.end()};
  }
  switch (self->changes.step(seen, instant())) {
    case Changes::Step::none:
      break;
    case Changes::Step::held: {
      static_assert(longest_trial < reconcile::BirdService::confirm_within);
      auto const confirmed = co_await self->reconciler->confirm();
      if (!confirmed) {
        self->failed(confirmed.error().what());
      }
      break;
    }
    case Changes::Step::failed:
      self->go_back(seen);
      break;
    case Changes::Step::other:
      self->use_other();
      break;
  }
  self->forget_worlds();
  self->remember_what_was_taken_back();
}

// So that an agent that is started anew does not try at once what cost this node its neighbours, and does not keep what
// the one before it had not yet seen to hold.
void Agent::State::remember_what_was_taken_back() {
  auto const& one = changes.to_remember();
  auto const file = settings.state_directory + "/taken_back";
  auto const of = one ? std::tuple(one->offer.revision, one->tries, changes.trial() && !changes.taken_back())
                      : std::tuple(std::int64_t{-1}, 0U, false);
  if (of == remembered) {
    return;
  }
  if (!one) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  } else if (auto written = process::write_file_atomically(file, to_text(*one, instant()), 0600); !written) {
    failed("remembering what was taken back: " + written.error().what());
    return;
  }
  remembered = of;
}

std::optional<Agent::State::InUse> Agent::State::usable(InUse of) {
  auto const struck = worlds.strike(of.document);
  // Behind a change of keys there is no way: the old ones are gone for good.
  bool const keys_changed = std::any_of(struck.begin(), struck.end(),
                                        [&](std::string const& node) { return in_use.document.nodes.contains(node); });
  auto built = plan::build_world(of.document, "the topology of revision " + std::to_string(of.document.revision));
  if (keys_changed || !built || !plan::plan_node(*built, settings.node)) {
    return std::nullopt;
  }
  of.world = std::make_shared<plan::World const>(std::move(*built));
  return of;
}

void Agent::State::go_back(Seen const& seen) {
  auto const& trial = *changes.trial();
  auto const revision = std::to_string(changes.in_use());
  auto const& failures = status.last_pass.failures;
  auto const what = trial.applied ? "since revision " + revision + " came, this node no longer reaches " +
                                        missing(trial, seen.neighbors)
                                  : "revision " + revision + " could not be applied here" +
                                        (failures.empty() ? std::string() : " (" + failures.front() + ")");
  auto const before = known.find(changes.good());
  ASSERT(before != known.end());
  auto usable_before = usable(before->second);
  if (!usable_before) {
    changes.stay();
    refused(what + "; it stays, because keys have changed with it");
    return;
  }
  known[changes.in_use()] = in_use;
  changes.go_back(seen, instant());
  refused(what + ": it was taken back");
  use(std::move(*usable_before));
  notify();
}

// What waited, or was taken back and is tried again.
void Agent::State::use_other() {
  auto const next = known.find(changes.in_use());
  ASSERT(next != known.end());
  auto usable_next = usable(next->second);
  known[in_use.world->revision] = in_use;
  if (!usable_next) {  // keys were removed since: a newer world will say what is now
    refused("revision " + std::to_string(changes.in_use()) + " is of no use any more: keys were removed since");
    changes.abandon();
    return;
  }
  process::log::info("agent", "revision {} is tried{}", changes.in_use(), changes.taken_back() ? " again" : "");
  use(std::move(*usable_next));
  notify();
}

// This node's part in changing its key: makes and shows the next one, says when every link runs with it.
net::Task<void> Agent::State::change_key(std::shared_ptr<State> self, std::shared_ptr<plan::NodePlan const> plan) {
  auto const& document = self->in_use.document;
  auto const& changes = self->changes;
  bool const newest = !changes.trial() && !changes.taken_back() && changes.waiting() < 0;
  auto const step = self->rotation.step(document, self->settings.node, self->identity, *plan,
                                        std::chrono::steady_clock::now(), newest);
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

// Last-known means: BIRD goes by it, and it is not on trial.
void Agent::State::keep_world(std::shared_ptr<plan::World const> const& applied) {
  if (in_use.saved || changes.trial() || applied != world || !may_be_kept(status)) {
    return;
  }
  if (auto saved = worlds.snapshots().save(in_use.text, world->revision); !saved) {
    failed("keeping the world: " + saved.error().what());
    return;
  }
  in_use.saved = true;
}

}  // namespace agent
