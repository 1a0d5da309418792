#include "acme/issuer.hpp"

#include "acme/crypto/csr.hpp"
#include "base/process/log.hpp"

#include <algorithm>

namespace acme {
namespace {

using crypto::wall_now;
using std::chrono::milliseconds;

constexpr char const* component = "acme";
constexpr milliseconds round_max{60000};

std::string without_dot(std::string text) {
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text;
}

}  // namespace

std::string challenge_owner(std::int64_t tenant_id) {
  return "acme/" + std::to_string(tenant_id);
}

std::vector<std::string> wanted_names(store::Tenant const& tenant) {
  auto const zone = dns::Name::parse(tenant.zone);
  if (!zone) {
    return {};
  }
  auto const apex = zone->child(tenant.label);
  if (!apex) {
    return {};
  }
  std::string const name = without_dot(apex->text());
  if (!crypto::is_certificate_name(name)) {
    return {};
  }
  return {"*." + name, name};  // '*' sorts before letters and digits
}

Issuer::Issuer(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault, process::Metrics& metrics,
               IssuerSettings settings, std::function<std::vector<Site>()> sites)
    : executor_(executor),
      store_(store),
      vault_(vault),
      metrics_(metrics),
      settings_(std::move(settings)),
      dns01_(executor, store, std::move(sites), settings_.gate),
      wake_(executor),
      ask_wake_(executor),
      in_flight_(std::make_shared<std::set<std::int64_t>>()) {
  ASSERT(!settings_.authorities.empty());
  for (AuthoritySettings const& one : settings_.authorities) {
    authorities_.push_back(std::make_unique<Authority>(executor, vault, one));
  }
}

Issuer::~Issuer() = default;

net::Task<void> Issuer::run() {
  net::spawn(executor_, "acme renewal suggestions", follow_suggestions());
  while (!stopped_) {
    poked_ = false;
    auto const round_result = co_await round();
    milliseconds pause = round_max;
    if (!round_result) {
      process::log::warning(component, "round failed error=\"{}\"", round_result.error().what());
      pause = std::min(pause, settings_.first_retry);
    } else if (round_result->wake) {
      pause = std::clamp(*round_result->wake - wall_now(), milliseconds(0), round_max);
    }
    if (!poked_ && !stopped_) {
      co_await wake_.wait(pause);
    }
  }
}

void Issuer::stop() {
  stopped_ = true;
  wake_.notify();
  ask_wake_.notify();
}

void Issuer::poke() {
  poked_ = true;
  wake_.notify();
}

net::Task<base::Result<Round>> Issuer::round() {
  // An order that ends while the tables are read must not look like a tenant without order and certificate.
  std::set<std::int64_t> const flying = *in_flight_;
  auto const observed = co_await observe();
  if (!observed) {
    co_return observed.error();
  }
  Time const now = wall_now();
  std::vector<Candidate> candidates;
  for (auto const& [tenant_id, subject] : subjects_) {
    Candidate candidate;
    candidate.tenant_id = tenant_id;
    candidate.in_flight = flying.contains(tenant_id) || in_flight_->contains(tenant_id);
    if (subject.certificate) {
      candidate.due = due(*subject.certificate);
    }
    if (Choice const choice = authority_for(tenant_id, now); !choice.authority) {
      candidate.parked = choice.wake;
    }
    candidates.push_back(candidate);
  }
  std::size_t const free_slots = settings_.orders_max - std::min(settings_.orders_max, in_flight_->size());
  Round chosen = choose(std::move(candidates), free_slots, now);
  for (std::int64_t const tenant_id : chosen.start) {
    // Asked again, because the order before this one may be the only one that tries a CA after its rest.
    Choice const choice = authority_for(tenant_id, now);
    if (!choice.authority) {
      chosen.wake = std::min(chosen.wake.value_or(*choice.wake), *choice.wake);
      continue;
    }
    Breaker& breaker = authorities_[*choice.authority]->breaker;
    breaker.trying = breaker.open_until.has_value();
    auto flight = std::make_shared<Flight>(in_flight_, tenant_id);
    net::spawn(executor_, "acme order of tenant " + std::to_string(tenant_id),
               issue(tenant_id, *choice.authority, std::move(flight)));
  }
  show_metrics();
  co_return chosen;
}

// Reads tenants, certificates and attempts; all or nothing, so that a failed look changes nothing.
net::Task<base::Result<void>> Issuer::observe() {
  // Rows first, tenants second: a tenant that is made in between cannot look like one that is gone.
  auto const known = co_await vault_.tenants_with_rows();
  if (!known) {
    co_return known.error();
  }
  auto const tenants = co_await store_.tenants();
  if (!tenants) {
    co_return tenants.error();
  }
  auto const certificates = co_await vault_.certificates();
  if (!certificates) {
    co_return certificates.error();
  }
  auto const loaded = co_await load_kept();
  if (!loaded) {
    co_return loaded.error();
  }
  std::map<std::int64_t, Subject> subjects;
  std::set<std::int64_t> gone(known->begin(), known->end());
  for (store::Tenant const& tenant : *tenants) {
    gone.erase(tenant.id);
    std::vector<std::string> names = wanted_names(tenant);
    if (tenant.state == "active" && !names.empty()) {
      subjects[tenant.id] = Subject{tenant.label, std::move(names), {}};
    }
  }
  for (vault::CertificateRow const& row : *certificates) {  // newest last
    auto const found = subjects.find(row.tenant_id);
    if (found != subjects.end() && found->second.names == row.names) {
      found->second.certificate = row;
    }
  }
  subjects_ = std::move(subjects);
  std::set<std::int64_t> present;
  for (vault::CertificateRow const& row : *certificates) {
    present.insert(row.sequence);
  }
  std::erase_if(opinions_, [&present](auto const& item) { return !present.contains(item.first); });
  ask_wake_.notify();
  co_return co_await remove_leftovers(std::move(gone));
}

// Once: afterwards the maps are the truth, so that a store that cannot be written does not make us ask the CA in a
// loop.
net::Task<base::Result<void>> Issuer::load_kept() {
  if (kept_loaded_) {
    co_return base::Result<void>();
  }
  auto const attempts = co_await vault_.attempts();
  if (!attempts) {
    co_return attempts.error();
  }
  auto const suggestions = co_await vault_.suggestions();
  if (!suggestions) {
    co_return suggestions.error();
  }
  for (vault::Attempt const& attempt : *attempts) {
    attempts_.emplace(std::pair(attempt.tenant_id, attempt.directory_url), attempt);
  }
  for (vault::SuggestionRow const& row : *suggestions) {
    opinions_[row.sequence] = Opinion{Suggestion{{row.start, row.end, row.explanation_url}, row.at}, row.ask_again};
  }
  kept_loaded_ = true;
  co_return base::Result<void>();
}

// Tenants that are gone leave TXT values (when an order was interrupted), certificates and keys behind.
net::Task<base::Result<void>> Issuer::remove_leftovers(std::set<std::int64_t> gone) {
  for (std::int64_t const tenant_id : gone) {
    if (in_flight_->contains(tenant_id)) {
      continue;
    }
    auto const unpublished = co_await dns01_.unpublish(challenge_owner(tenant_id));
    if (!unpublished) {
      co_return unpublished.error();
    }
    auto const forgotten = co_await vault_.forget_tenant(tenant_id);
    if (!forgotten) {
      co_return forgotten.error();
    }
    std::erase_if(attempts_, [tenant_id](auto const& item) { return item.first.first == tenant_id; });
    process::log::info(component, "removed certificates and keys of a tenant that is gone tenant_id={}", tenant_id);
    if (changed_) {
      changed_();
    }
  }
  co_return base::Result<void>();
}

Choice Issuer::authority_for(std::int64_t tenant_id, Time now) const {
  std::vector<Breaker> breakers;
  std::vector<std::optional<Time>> parked;
  auto const parked_at = [&](std::string const& directory_url) {
    auto const found = attempts_.find({tenant_id, directory_url});
    return found == attempts_.end() ? std::nullopt : std::optional(found->second.not_before);
  };
  for (auto const& authority : authorities_) {
    breakers.push_back(authority->breaker);
    parked.push_back(parked_at(authority->directory_url()));
  }
  return choose_authority(breakers, parked, parked_at({}), now);
}

// Of the failures since the last success: the one that holds longest is the one that says why nothing happens.
vault::Attempt const* Issuer::last_attempt(std::int64_t tenant_id) const {
  vault::Attempt const* last = nullptr;
  for (auto it = attempts_.lower_bound({tenant_id, {}}); it != attempts_.end() && it->first.first == tenant_id; ++it) {
    last = last == nullptr || it->second.not_before > last->not_before ? &it->second : last;
  }
  return last;
}

std::string Issuer::state_of(std::int64_t tenant_id, Subject const& subject, Time now) const {
  bool const valid = subject.certificate && subject.certificate->not_after > now;
  if (in_flight_->contains(tenant_id)) {
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
  if (Choice const choice = authority_for(tenant_id, now); !choice.authority) {
    next = std::max(next, *choice.wake);
  }
  status.next_attempt_ms = in_flight_->contains(tenant_id) ? 0 : crypto::to_ms(next);
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
  for (auto const& authority : authorities_) {
    auto const closed = closed_from(authority->breaker, now);
    Breaker const& breaker = authority->breaker;
    std::string const state = breaker.trying ? "trying" : closed ? "resting" : "asked";
    list.push_back({authority->directory_url(), authority->account_url(), state, breaker.failures,
                    authority->last_error, closed ? crypto::to_ms(*closed) : 0});
  }
  return list;
}

void Issuer::show_metrics() {
  std::size_t certificates = 0;
  std::optional<Time> earliest;
  for (auto const& [tenant_id, subject] : subjects_) {
    if (subject.certificate) {
      ++certificates;
      earliest = std::min(earliest.value_or(subject.certificate->not_after), subject.certificate->not_after);
    }
  }
  metrics_.gauge("navigator_acme_tenants", "Tenants that shall have a certificate")
      .set(static_cast<double>(subjects_.size()));
  metrics_.gauge("navigator_acme_certificates", "Tenants that have a certificate")
      .set(static_cast<double>(certificates));
  metrics_.gauge("navigator_acme_orders_in_flight", "ACME orders in flight")
      .set(static_cast<double>(in_flight_->size()));
  metrics_.gauge("navigator_acme_earliest_expiry_seconds", "Unix time at which the first certificate expires; 0: none")
      .set(earliest ? static_cast<double>(crypto::to_ms(*earliest)) / 1000 : 0);
}

}  // namespace acme
