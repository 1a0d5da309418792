// One order of the Issuer: performs what the order machine says, and books the outcome.
#include "acme/issuer.hpp"
#include "base/process/log.hpp"

namespace acme {
namespace {

using crypto::wall_now;
using protocol::FailureClass;
using protocol::Outcome;

constexpr char const* component = "acme";
constexpr std::chrono::minutes announce_pause{5};

}  // namespace

// Standing proofs and CAA records of CAs that are asked another way now, or no longer, go: they would let those CAs
// issue.
net::Task<base::Result<void>> Issuer::settle_proofs() {
  std::set<std::string> standing;
  std::set<std::string> named;
  auto const note = [&](Authority const& authority) {
    named.insert(authority.directory_url());
    if (protocol::is_standing(authority.settings().challenge)) {
      standing.insert(standing_key(authority.directory_url()));
    }
  };
  unusable_.clear();
  for (std::size_t place = 0; place < authorities_.size(); ++place) {
    Authority& authority = *authorities_[place];
    note(authority);
    auto const known = co_await authority.recall();
    if (!known && known.error().code != keyring::errc::sealed) {
      co_return known.error();
    }
    if (!known) {
      // A fresh key would be another account; the other CAs, and what there is already, do not need this one.
      authority.last_error = known.error().what();
      unusable_.insert(place);
      process::log::error(component,
                          "this CA cannot be used until its account's key is restored directory={} error=\"{}\"",
                          authority.directory_url(), authority.last_error);
    }
  }
  if (staging_ != nullptr) {
    note(*staging_);
  }
  announce_at_ = {};
  auto const kept = co_await ordering_.keep_caa(std::move(named));
  if (!kept) {
    co_return kept;
  }
  co_return co_await ordering_.sweep(std::move(standing));
}

// Every CA may be asked one day, and must be in tenants' CAA records by then.
net::Task<void> Issuer::announce() {
  announce_at_ = wall_now() + announce_pause;
  for (auto const& authority : authorities_) {
    auto const done = co_await ordering_.announce(*authority);
    if (!done) {
      process::log::warning(component, "not in CAA records yet directory={} error=\"{}\"", authority->directory_url(),
                            done.error().what());
    }
  }
}

Job Issuer::job_of(Subject const& subject) {
  return {subject.row, subject.wanted.names, subject.wanted.challenge_name, subject.wanted.domain_id,
          subject.certificate};
}

net::Task<void> Issuer::issue(std::int64_t subject_id, std::size_t place) {
  Authority& authority = *authorities_[place];
  Outcome gone;
  gone.failure = FailureClass::deferred;
  gone.detail = "the name is gone";
  gone.asked = false;
  Outcome outcome = std::move(gone);
  if (auto const subject = subjects_.find(subject_id); subject != subjects_.end()) {
    Job job = job_of(subject->second);
    outcome = co_await ordering_.place(
        std::move(job), authority, [this] { return leads() && !stopped_; },
        [this, subject_id, place] { planner_->placed(subject_id, place, wall_now()); },
        [this](vault::CertificateRow row) { stored(std::move(row)); });
  }
  co_await conclude(subject_id, place, std::move(outcome));
  poke();
}

void Issuer::stored(vault::CertificateRow row) {
  std::int64_t const tenant_id = row.tenant_id;
  auto const subject = subjects_.find(row.subject_id);
  if (subject != subjects_.end() && subject->second.wanted.names == row.names) {
    hold(row.subject_id, std::move(row));
  }
  tell(tenant_id);
}

net::Task<void> Issuer::conclude(std::int64_t subject_id, std::size_t place, Outcome outcome) {
  Authority& authority = *authorities_[place];
  bool const good = outcome.failure == FailureClass::none;
  flights_.erase(subject_id);
  auto const kept = outcome.asked ? std::optional(outcome.placed) : std::nullopt;
  auto const parked =
      planner_->ended(subject_id, place, {outcome.failure, outcome.not_before, kept, outcome.unseen}, wall_now());
  if (!leads() || (stopped_ && outcome.keep_order)) {
    co_return;
  }
  if (good) {
    forget_attempts(attempts_, subject_id);
    dropped_orders_.look();
  }
  if (outcome.failure != FailureClass::deferred) {
    authority.last_error = outcome.failure == FailureClass::transient ? outcome.detail : std::string();
  }
  if (outcome.problem == "userActionRequired") {
    authority.last_error = outcome.detail;
    authority.action_required = outcome.instance.empty() ? "the CA's website" : outcome.instance;
    planner_->block(place, true);
  }
  measures_.ended(authority.directory_url(), good ? "issued" : name(outcome.failure), outcome.problem);
  for (std::string const& note : outcome.notes) {
    process::log::info(component, "order subject_id={} authority={} note=\"{}\"", subject_id, authority.directory_url(),
                       note);
  }
  // A row that stays is continued by the next attempt, or swept when its tenant is gone.
  if (!outcome.keep_order && outcome.cleaned) {
    auto const deleted = co_await vault_.delete_order(subject_id, authority.directory_url());
    if (!deleted) {
      process::log::warning(component, "order row stays subject_id={} error=\"{}\"", subject_id,
                            deleted.error().what());
    }
  }
  co_await book(subject_id, place, std::move(outcome), parked);
}

// What is remembered of an attempt: for the status, for `cert why`, and over restarts.
net::Task<void> Issuer::book(std::int64_t subject_id, std::size_t place, Outcome outcome,
                             std::optional<Parked> parked) {
  std::string const& authority = authorities_[place]->directory_url();
  bool const good = outcome.failure == FailureClass::none;
  vault::Event event{subject_id, wall_now(), authority, good ? "issued" : name(outcome.failure), outcome.detail};
  auto const added = co_await vault_.add_event(std::move(event));
  if (!added) {
    process::log::warning(component, "event not stored error=\"{}\"", added.error().what());
  }
  if (good || !parked) {
    co_return;  // without a place the tenant went away meanwhile
  }
  std::string const directory_url = parked->authority ? authority : std::string();
  if (parked->moved_on && attempts_.erase({subject_id, std::string()}) != 0) {
    vault::Attempt none{subject_id, {}, 0, {}, {}};  // else a start would count for the next CA what this one missed
    auto const cleared = co_await vault_.save_attempt(std::move(none));
    if (!cleared) {
      process::log::warning(component, "attempt not cleared error=\"{}\"", cleared.error().what());
    }
  }
  vault::Attempt const attempt{subject_id, directory_url, parked->failures, parked->until,
                               std::string(name(outcome.failure)) + ": " + outcome.detail};
  attempts_[{subject_id, directory_url}] = attempt;
  process::log::warning(component, "no certificate subject_id={} authority={} failures={} error=\"{}\"", subject_id,
                        authority, attempt.failures, attempt.detail);
  auto const saved = co_await vault_.save_attempt(attempt);
  if (!saved) {
    process::log::warning(component, "attempt not stored subject_id={} error=\"{}\"", subject_id, saved.error().what());
  }
}

}  // namespace acme
