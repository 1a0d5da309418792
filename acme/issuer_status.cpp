// What the Issuer says of itself: the state of each tenant's certificate, of each CA, and why.
#include "acme/issuer.hpp"

#include <algorithm>
#include <cctype>

namespace acme {
namespace {

using crypto::wall_now;

}  // namespace

// Of the failures since the last success: the one that holds longest is the one that says why nothing happens.
vault::Attempt const* Issuer::last_attempt(std::int64_t tenant_id) const {
  vault::Attempt const* last = nullptr;
  for (auto it = attempts_.lower_bound({tenant_id, {}}); it != attempts_.end() && it->first.first == tenant_id; ++it) {
    last = last == nullptr || it->second.not_before > last->not_before ? &it->second : last;
  }
  return last;
}

void Issuer::forget_attempts(std::int64_t tenant_id) {
  auto const first = attempts_.lower_bound({tenant_id, {}});
  attempts_.erase(first, attempts_.lower_bound({tenant_id + 1, {}}));
}

std::string Issuer::state_of(std::int64_t tenant_id, Subject const& subject, Time now) const {
  bool const valid = subject.certificate && subject.certificate->not_after > now;
  if (flights_.contains(tenant_id)) {
    return valid ? "renewing" : "ordering";
  }
  if (valid) {
    return "valid";
  }
  if (subject.certificate) {
    return "expired";
  }
  return last_attempt(tenant_id) != nullptr ? "failed" : "waiting";
}

TenantStatus Issuer::status_of(std::int64_t tenant_id, Subject const& subject, Time now) const {
  TenantStatus status;
  status.tenant_id = tenant_id;
  status.tenant = subject.label;
  status.state = state_of(tenant_id, subject, now);
  status.names = subject.names;
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
  if (vault::Attempt const* const attempt = last_attempt(tenant_id)) {
    status.last_error = attempt->detail;
  }
  next = std::max(next, planner_->next_attempt(tenant_id, now));
  status.alarm = alarmed_.contains(tenant_id);
  status.revoked = subject.certificate && subject.certificate->revoked_reason;
  status.next_attempt_ms = flights_.contains(tenant_id) ? 0 : crypto::to_ms(next);
  return status;
}

std::vector<TenantStatus> Issuer::status() const {
  Time const now = wall_now();
  std::vector<TenantStatus> list;
  for (auto const& [tenant_id, subject] : subjects_) {
    list.push_back(status_of(tenant_id, subject, now));
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
      state = authority.action_required.empty() ? "paused" : "blocked";
    }
    list.push_back({authority.directory_url(), authority.account_url(), state, breaker.failures, authority.last_error,
                    closed ? crypto::to_ms(*closed) : 0, authority.action_required});
  }
  return list;
}

IssuerStatus Issuer::issuer_status() const {
  return {leads(), lease_.holder, lease_.fence, flights_.size(), planner_ ? planner_->ready() : 0, alarmed_.size()};
}

std::optional<std::int64_t> Issuer::find(std::string name) const {
  if (name.ends_with('.')) {
    name.pop_back();
  }
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto const found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

net::Task<base::Result<Explanation>> Issuer::explain(std::int64_t tenant_id) {
  auto events = co_await vault_.events(tenant_id);
  if (!events) {
    co_return events.error();
  }
  auto const subject = subjects_.find(tenant_id);
  if (subject == subjects_.end()) {
    co_return base::fail(vault::errc::not_found, "tenant " + std::to_string(tenant_id));
  }
  Time const now = wall_now();
  Explanation out{status_of(tenant_id, subject->second, now), {}, std::move(*events)};
  for (Hindrance const& one : planner_->why(tenant_id, now)) {
    out.hindrances.emplace_back(one.authority ? authorities_[*one.authority]->directory_url() : std::string(), one);
  }
  co_return out;
}

}  // namespace acme
