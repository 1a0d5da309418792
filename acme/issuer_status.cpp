// What the Issuer says of itself: the state of each subject's certificate, of each CA, and why.
#include "acme/issuer.hpp"

#include <algorithm>

namespace acme {
namespace {

using crypto::wall_now;

}  // namespace

std::string Issuer::state_of(std::int64_t subject_id, Subject const& subject, Time now) const {
  bool const valid = subject.certificate && subject.certificate->not_after > now;
  if (flights_.contains(subject_id)) {
    return valid ? "renewing" : "ordering";
  }
  if (valid) {
    return subject.certificate->revoked_reason ? "revoked" : "valid";
  }
  if (subject.certificate) {
    return "expired";
  }
  return last_attempt(attempts_, subject_id) != nullptr ? "failed" : "waiting";
}

SubjectStatus Issuer::status_of(std::int64_t subject_id, Subject const& subject, Time now) const {
  SubjectStatus status;
  status.subject_id = subject_id;
  status.tenant_id = subject.row.tenant_id;
  status.tenant = subject.wanted.tenant;
  status.kind = name(subject.wanted.kind);
  status.name = subject.row.name;
  status.state = state_of(subject_id, subject, now);
  status.names = subject.wanted.names;
  status.challenge_at = authorities_.front()->challenge_label() + "." + subject.row.name;
  status.challenge_name = subject.wanted.challenge_name;
  Time next = now;
  if (subject.certificate) {
    status.fingerprint = subject.certificate->fingerprint;
    status.authority = subject.certificate->directory_url;
    status.not_after_ms = crypto::to_ms(subject.certificate->not_after);
    next = due(*subject.certificate);
    status.renew_at_ms = crypto::to_ms(next);
    auto const opinion = opinions_.find(subject.certificate->sequence);
    bool const suggested = opinion != opinions_.end() && opinion->second.suggestion.has_value();
    std::string const explanation = suggested ? opinion->second.suggestion->window.explanation_url : std::string();
    status.renew_why = suggested ? "suggested by the CA" + (explanation.empty() ? "" : ", see " + explanation)
                                 : std::string("lifetime");
  }
  if (vault::Attempt const* const attempt = last_attempt(attempts_, subject_id)) {
    status.last_error = attempt->detail;
  }
  next = std::max(next, planner_->next_attempt(subject_id, now));
  status.alarm = alarms_.raised(subject_id);
  status.missing = alarms_.missing(subject_id);
  status.revoked = subject.certificate && subject.certificate->revoked_reason;
  status.source = !subject.certificate ? "" : subject.certificate->uploaded ? "upload" : "acme";
  status.failing = subject.wanted.failing;
  status.fallback = !subject.certificate || subject.certificate->fallback;
  status.next_attempt_ms = flights_.contains(subject_id) ? 0 : crypto::to_ms(next);
  return status;
}

std::vector<SubjectStatus> Issuer::status() const {
  Time const now = wall_now();
  std::vector<SubjectStatus> list;
  for (auto const& [subject_id, subject] : subjects_) {
    list.push_back(status_of(subject_id, subject, now));
  }
  return list;
}

std::vector<SubjectStatus> Issuer::status_of(std::int64_t tenant_id) const {
  Time const now = wall_now();
  std::vector<SubjectStatus> list;
  for (auto row = rows_.lower_bound({tenant_id, {}}); row != rows_.end() && row->first.first == tenant_id; ++row) {
    if (auto const found = subjects_.find(row->second); found != subjects_.end()) {
      list.push_back(status_of(found->first, found->second, now));
    }
  }
  return list;
}

std::vector<AuthorityStatus> Issuer::authorities() const {
  Time const now = wall_now();
  std::vector<AuthorityStatus> list;
  for (std::size_t i = 0; i < authorities_.size(); ++i) {
    Authority const& authority = *authorities_[i];
    Breaker const breaker = planner_ ? planner_->breaker(i) : Breaker();
    auto const closed = closed_from(breaker, now);
    std::string state = breaker.trying ? "trying" : closed ? "resting" : "asked";
    if (planner_ && planner_->is_blocked(i)) {
      state = authority.action_required.empty() && !unusable_.contains(i) ? "paused" : "blocked";
    }
    list.push_back({authority.directory_url(), authority.account_url(), state, breaker.failures, authority.last_error,
                    closed ? crypto::to_ms(*closed) : 0, authority.action_required,
                    authority.client() == nullptr ? std::vector<std::string>() : authority.client()->caa_identities(),
                    protocol::name(authority.settings().challenge)});
  }
  return list;
}

IssuerStatus Issuer::issuer_status() const {
  return {leads(),
          lease_.holder,
          lease_.fence,
          flights_.size(),
          planner_ ? planner_->ready() : 0,
          alarms_.expiring(),
          alarms_.missing()};
}

std::vector<std::string> Issuer::challenge_labels() const {
  std::vector<std::string> labels;
  for (auto const& authority : authorities_) {
    std::string label = authority->challenge_label();
    if (!label.empty() && std::ranges::find(labels, label) == labels.end()) {
      labels.push_back(std::move(label));
    }
  }
  return labels;
}

std::optional<std::int64_t> Issuer::find(std::string name) const {
  return names_.find(std::move(name));
}

net::Task<base::Result<Explanation>> Issuer::explain(std::int64_t subject_id) {
  auto events = co_await vault_.events(subject_id);
  if (!events) {
    co_return events.error();
  }
  auto const subject = subjects_.find(subject_id);
  if (subject == subjects_.end()) {
    co_return base::fail(vault::errc::not_found, "subject " + std::to_string(subject_id));
  }
  Time const now = wall_now();
  Explanation out{status_of(subject_id, subject->second, now), {}, std::move(*events)};
  for (Hindrance const& one : planner_->why(subject_id, now)) {
    out.hindrances.emplace_back(one.authority ? authorities_[*one.authority]->directory_url() : std::string(), one);
  }
  co_return out;
}

}  // namespace acme
