// One order of the Issuer: performs what the order machine says, and books the outcome.
#include "acme/issuer.hpp"
#include "base/process/log.hpp"

namespace acme {
namespace {

using crypto::wall_now;
using protocol::FailureClass;
using protocol::Outcome;

constexpr char const* component = "acme";

// The CA was not reached, or could not be understood: which class of failure is that?
Outcome outcome_of(base::Failure const& failure) {
  Outcome outcome;
  outcome.detail = failure.what();
  outcome.keep_order = true;
  bool const refused = failure.code == protocol::errc::refused || failure.code == protocol::errc::no_account;
  outcome.failure = refused ? FailureClass::account : FailureClass::transient;
  return outcome;
}

}  // namespace

// Standing proofs at CAs that are asked another way now, or no longer, go: they would let those CAs issue.
net::Task<base::Result<void>> Issuer::settle_proofs() {
  std::set<std::string> standing;
  auto const note = [&standing](Authority const& authority) {
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
  // Of rehearsals that ended with an earlier process nothing stays.
  std::set<std::string> none;
  auto const swept = co_await dns01_.sweep(rehearsal_infix, std::move(none));
  if (!swept) {
    co_return swept;
  }
  co_return co_await dns01_.sweep(standing_infix, std::move(standing));
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
  base::Result<Outcome> result = std::move(gone);
  if (auto const subject = subjects_.find(subject_id); subject != subjects_.end()) {
    Job job = job_of(subject->second);
    result = co_await ordering_.place(
        std::move(job), authority, [this] { return leads(); },
        [this](vault::CertificateRow row) { stored(std::move(row)); });
    auto const saved = co_await authority.save_account();
    if (!saved) {
      process::log::warning(component, "account not stored error=\"{}\"", saved.error().what());
    }
  }
  co_await conclude(subject_id, place, std::move(result));
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

net::Task<void> Issuer::conclude(std::int64_t subject_id, std::size_t place, base::Result<Outcome> result) {
  Authority& authority = *authorities_[place];
  Outcome outcome;
  if (result) {
    outcome = std::move(*result);
  } else {
    outcome = outcome_of(result.error());
  }
  bool const good = outcome.failure == FailureClass::none;
  flights_.erase(subject_id);
  auto const parked =
      planner_->ended(subject_id, place, {outcome.failure, outcome.not_before, outcome.asked}, wall_now());
  if (!leads()) {
    co_return;
  }
  if (good) {
    forget_attempts(subject_id);
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
    auto const deleted = co_await vault_.delete_order(subject_id);
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
