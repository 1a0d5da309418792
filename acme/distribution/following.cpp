#include "acme/distribution/following.hpp"

#include "acme/fleet/readiness.hpp"
#include "base/process/log.hpp"

#include <algorithm>

namespace acme {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr char const* component = "acme";
constexpr milliseconds wait_limit{60000};
constexpr std::chrono::minutes compare_every{30};
constexpr milliseconds telling_time{100};
constexpr std::size_t at_once = 500;  // tenants of one look: some milliseconds of the store thread

// The first `most` of them, which `from` has no longer.
std::set<std::int64_t> some_of(std::set<std::int64_t>& from, std::size_t most) {
  std::set<std::int64_t> out;
  while (!from.empty() && out.size() < most) {
    out.insert(out.end(), from.extract(from.begin()).value());
  }
  return out;
}

// The edges that DNS may name, where those are others than the store says.
std::optional<std::vector<std::string>> readiness_of(TenantState const& state) {
  auto ready = ready_edges(state.facts, state.acknowledgments, crypto::wall_now());
  return state.exists && state.ready != ready ? ready : std::nullopt;
}

}  // namespace

Following::Following(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
                     std::function<store::Revision()> everywhere, std::function<void(Fleet::Edges const&)> touched)
    : executor_(executor),
      store_(store),
      vault_(vault),
      everywhere_(std::move(everywhere)),
      touched_(std::move(touched)),
      movements_(store),
      making_(std::make_shared<Making>(executor)),
      wake_(executor) {}

void Following::poke() {
  poked_ = true;
  wake_.notify();
}

void Following::poke(std::int64_t tenant_id) {
  dirty_.insert(tenant_id);
  poke();
}

void Following::stop() {
  stopped_ = true;
  wake_.notify();
}

net::Task<void> Following::run() {
  auto compare_at = Clock::now() + compare_every;
  while (!stopped_) {
    poked_ = false;
    auto const done = co_await catch_up();
    if (!done) {
      process::log::warning(component, "edges' lists and readiness not updated error=\"{}\"", done.error().what());
    }
    if (Clock::now() >= compare_at && !stopped_) {
      auto const compared = co_await compare();
      if (!compared) {
        process::log::warning(component, "edges' lists not compared error=\"{}\"", compared.error().what());
      }
      compare_at = Clock::now() + compare_every;
    }
    milliseconds pause = done ? wait_limit : milliseconds(1000);
    if (auto const lapse = fleet_.next_lapse(); lapse && done) {
      pause = std::clamp(*lapse - crypto::wall_now() + milliseconds(1), milliseconds(1), pause);
    }
    if (fleet_.next_release()) {  // a site may go out of service, which nobody says
      pause = std::min(pause, milliseconds(2000));
    }
    if (!poked_ && !stopped_) {
      co_await wake_.wait(pause);
    }
  }
}

bool Following::is_current() const {
  auto const release = fleet_.next_release();
  auto const lapse = fleet_.next_lapse();
  return loaded_ && dirty_.empty() && making_->rest.empty() && movements_.is_current() &&
         !(release && *release <= everywhere_()) && !(lapse && *lapse <= crypto::wall_now());
}

// Every edge asks after every change: what they all need is looked at once. A look that was begun after the question is
// new enough, whatever changed since: else a store that changes all the time would keep everybody waiting.
net::Task<base::Result<void>> Following::catch_up() {
  auto const making = making_;
  std::uint64_t const asked = making->begun;
  while (!is_current() && made_ <= asked) {
    if (making->now) {
      co_await making->done.wait(wait_limit);
      continue;
    }
    struct Turn {
      std::shared_ptr<Making> of;
      ~Turn() {
        of->now = false;
        of->done.notify();
      }
    } const turn{making};
    making->now = true;
    std::uint64_t const begun = ++making->begun;
    if (auto const followed = co_await follow(); !followed) {
      co_return followed.error();
    }
    made_ = begun;
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Following::follow() {
  auto const moved = co_await movements_.follow();
  if (!moved) {
    co_return moved.error();
  }
  if (moved->pools) {
    if (auto const taken = co_await take_pools(); !taken) {
      co_return taken.error();
    }
  }
  if (moved->anew) {
    auto const all = co_await all_tenants(store_, vault_);
    if (!all) {
      co_return all.error();
    }
    dirty_.insert(all->begin(), all->end());
    std::ranges::copy(fleet_.tenants(), std::inserter(dirty_, dirty_.end()));
  }
  dirty_.insert(moved->tenants.begin(), moved->tenants.end());
  movements_.taken();
  std::ranges::copy(fleet_.lapsed(crypto::wall_now()), std::inserter(dirty_, dirty_.end()));
  // Whoever looks may hang up at any wait, or the store fail: what was not taken in is the next look's.
  struct Rest {
    std::shared_ptr<Making> of;
    std::set<std::int64_t> todo;
    std::shared_ptr<Reading> reading, next;
    ~Rest() {
      for (auto const& one : {reading, next}) {
        of->rest.insert(one == nullptr ? todo.end() : one->ids.begin(), one == nullptr ? todo.end() : one->ids.end());
      }
      of->rest.merge(todo);
    }
  } rest{making_, std::exchange(dirty_, {}), nullptr, nullptr};  // what comes meanwhile is the next look's, too
  rest.todo.merge(making_->rest);
  making_->rest.clear();
  rest.reading = read(some_of(rest.todo, at_once));
  while (!rest.reading->ids.empty()) {
    while (!rest.reading->states) {
      co_await rest.reading->done.wait(wait_limit);
    }
    rest.next = read(some_of(rest.todo, at_once));  // while what came is taken in
    if (auto const taken = co_await take(rest.reading); !taken) {
      co_return taken.error();
    }
    rest.reading = std::exchange(rest.next, nullptr);
  }
  if (!loaded_) {
    process::log::info(component, "edges' lists made tenants={} edges={}", fleet_.tenants().size(),
                       fleet_.edges().size());
  }
  loaded_ = true;
  touched_(fleet_.release(everywhere_()));
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Following::take_pools() {
  auto pools = co_await read_pools(store_);
  if (!pools) {
    co_return pools.error();
  }
  pools_taken_ = true;
  auto const outcome = fleet_.set_pools(std::move(*pools), store_.revision());
  touched_(outcome.edges);
  co_return base::Result<void>();
}

// A task of its own, which may end after this object: it has all it needs but the store and the vault.
std::shared_ptr<Following::Reading> Following::read(std::set<std::int64_t> tenants) {
  if (comparing_) {
    taken_.insert(tenants.begin(), tenants.end());
  }
  auto const reading = std::make_shared<Reading>(executor_, std::move(tenants));
  if (!reading->ids.empty()) {
    net::spawn(executor_, "reads tenants", fill(reading, &store_, &vault_));
  }
  return reading;
}

net::Task<void> Following::fill(std::shared_ptr<Reading> reading, store::Store* store, vault::Vault* vault) {
  auto states = co_await read_tenants(*store, *vault, reading->ids);
  reading->states.emplace(std::move(states));
  reading->done.notify();
}

net::Task<base::Result<void>> Following::take(std::shared_ptr<Reading> reading) {
  base::Result<TenantStates>& states = *reading->states;
  if (!states) {
    co_return states.error();
  }
  Fleet::Edges touched;
  crypto::Time const now = crypto::wall_now();
  for (TenantState const& one : states->tenants) {
    touched.merge(fleet_.take(one.facts, now, states->revision).edges);
    if (!loaded_) {
      recall(one, states->revision, touched);
    }
  }
  touched_(touched);
  for (TenantState& one : states->tenants) {
    auto const settled = co_await settle_readiness(std::move(one));
    if (!settled) {
      co_return settled.error();
    }
  }
  co_return base::Result<void>();
}

// True when it was something else before.
net::Task<base::Result<bool>> Following::settle_readiness(TenantState state) {
  auto const ready = readiness_of(state);
  if (!ready) {
    co_return false;
  }
  auto const set = co_await store_.set_ready(state.facts.tenant_id, ready);
  // A tenant that was deleted meanwhile has nothing to be ready for.
  if (!set && set.error().code != store::errc::not_found) {
    co_return set.error();
  }
  co_return true;
}

// What an edge acknowledged before the start, it may serve.
void Following::recall(TenantState const& state, store::Revision revision, Fleet::Edges& touched) {
  for (vault::Acknowledgment const& one : state.acknowledgments) {
    if (fleet_.serves(one.edge, state.facts.tenant_id, one.subject_id)) {
      continue;  // nearly all of them
    }
    auto const row = std::ranges::find_if(state.facts.certificates, [&one](vault::CertificateRow const& certificate) {
      return certificate.subject_id == one.subject_id && certificate.fingerprint == one.fingerprint;
    });
    if (row == state.facts.certificates.end() || row->not_after <= crypto::wall_now()) {
      continue;
    }
    bool const own = std::ranges::find(row->names, "*." + row->subject) != row->names.end();
    bool const labelled = !own && !state.facts.wanted.empty();
    EdgeBundle bundle{{},
                      labelled ? state.facts.wanted.front().tenant : row->subject.substr(0, row->subject.find('.')),
                      row->uploaded && !own ? std::vector{row->subject} : row->names,
                      row->subject_id,
                      row->sequence,
                      row->fingerprint};
    touched.merge(fleet_.recall(one.edge, state.facts.tenant_id, std::move(bundle), own, revision));
  }
}

net::Task<void> Following::heard(std::string edge, std::int64_t applied) {
  std::vector<std::int64_t> subjects;
  for (Fleet::Dropped const& one : fleet_.confirm(edge, applied)) {
    subjects.push_back(one.subject_id);
    dirty_.insert(one.tenant_id);
  }
  if (subjects.empty()) {
    co_return;
  }
  std::size_t const count = subjects.size();
  auto const dropped = co_await vault_.drop_acknowledgments(edge, std::move(subjects));
  if (!dropped) {
    // It is taken for served until the next start, which finds out again.
    process::log::warning(component, "acknowledgments stay edge={} error=\"{}\"", edge, dropped.error().what());
    co_return;
  }
  process::log::info(component, "edge serves no longer edge={} bundles={}", edge, count);
  poke();
}

net::Task<base::Result<std::size_t>> Following::compare() {
  struct Mark {
    bool& flag;
    ~Mark() { flag = false; }
  } const mark{comparing_};
  comparing_ = true;
  std::size_t defects = 0;
  pools_taken_ = false;
  auto pools = co_await read_pools(store_);
  auto all = co_await all_tenants(store_, vault_);
  auto const caught = co_await catch_up();
  if (!pools || !all || !caught) {
    co_return !pools ? pools.error() : !all ? all.error() : caught.error();
  }
  if (!pools_taken_ && fleet_.set_pools(std::move(*pools), store_.revision()).changed) {
    ++defects;
    process::log::error(component, "defect: the edges of pools were not what the store says; mended");
  }
  std::ranges::copy(fleet_.tenants(), std::inserter(*all, all->end()));
  while (!all->empty()) {
    auto const found = co_await compare_some(some_of(*all, at_once));
    if (!found) {
      co_return found.error();
    }
    defects += *found;
  }
  for (std::string const& edge : fleet_.edges()) {
    if (!fleet_.verify(edge)) {
      ++defects;
      process::log::error(component, "defect: an edge's list was counted wrongly edge={}; mended", edge);
      touched_({edge});
    }
    co_await net::wait_for(milliseconds(1));  // others have their turn
  }
  co_return defects;
}

// What was taken between the reading and the comparison is newer than what was read.
net::Task<base::Result<std::size_t>> Following::compare_some(std::set<std::int64_t> tenants) {
  std::size_t defects = 0;
  taken_.clear();
  auto states = co_await read_tenants(store_, vault_, std::move(tenants));
  if (!states) {
    co_return states.error();
  }
  if (auto const caught = co_await catch_up(); !caught) {
    co_return caught.error();
  }
  std::vector<TenantState> suspects;
  for (TenantState& one : states->tenants) {
    if (taken_.contains(one.facts.tenant_id)) {
      continue;
    }
    auto const outcome = fleet_.take(one.facts, crypto::wall_now(), states->revision);
    touched_(outcome.edges);
    if (outcome.changed || readiness_of(one)) {
      suspects.push_back(std::move(one));
    }
  }
  if (suspects.empty()) {
    co_return defects;
  }
  // Perhaps it was written a moment ago, and whoever wrote it had no turn yet to say so.
  co_await net::wait_for(telling_time);
  if (auto const caught = co_await catch_up(); !caught) {
    co_return caught.error();
  }
  for (TenantState& one : suspects) {
    std::int64_t const id = one.facts.tenant_id;
    if (taken_.contains(id)) {
      continue;
    }
    auto const settled = co_await settle_readiness(std::move(one));
    if (!settled) {
      co_return settled.error();
    }
    ++defects;
    process::log::error(component, "defect: edges' lists or readiness missed a change tenant_id={}; mended", id);
  }
  co_return defects;
}

}  // namespace acme
