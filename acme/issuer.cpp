#include "acme/issuer.hpp"

#include "acme/crypto/csr.hpp"
#include "base/process/log.hpp"

#include <algorithm>
#include <string_view>

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

std::string last_labels(std::string const& name, std::size_t count) {
  std::size_t at = name.size();
  for (std::size_t labels = 0; labels < count && at != std::string::npos && at != 0; ++labels) {
    at = name.rfind('.', at - 1);
  }
  return at == std::string::npos || at == 0 ? name : name.substr(at + 1);
}

std::string const& text_of(database::Change const& change, std::string_view column) {
  static std::string const none;
  auto const found = std::ranges::find(change.values, column, &std::pair<std::string, database::Value>::first);
  return found == change.values.end() ? none : database::text(found->second);
}

Time alarm_at(vault::CertificateRow const& certificate) {
  return certificate.not_after - std::max(certificate.not_after - certificate.not_before, milliseconds(0)) / 5;
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

std::string registered_domain(std::string const& name, std::vector<std::string> const& suffixes) {
  std::size_t labels = 2;
  for (std::string const& suffix : suffixes) {
    if (name.ends_with("." + suffix)) {
      labels = std::max<std::size_t>(labels, static_cast<std::size_t>(std::ranges::count(suffix, '.')) + 2);
    }
  }
  return last_labels(name, labels);
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
      lease_wake_(executor),
      ask_wake_(executor) {
  ASSERT(!settings_.authorities.empty());
  for (AuthoritySettings const& one : settings_.authorities) {
    authorities_.push_back(std::make_unique<Authority>(executor, vault, one));
  }
  if (settings_.staging) {
    staging_ = std::make_unique<Authority>(executor, vault, *settings_.staging);
  }
}

Issuer::~Issuer() = default;

net::Task<void> Issuer::run() {
  net::spawn(executor_, "acme lease", keep_lease());
  net::spawn(executor_, "acme renewal suggestions", follow_suggestions());
  while (!stopped_) {
    poked_ = false;
    auto const plan = co_await round();
    milliseconds pause = round_max;
    if (!plan) {
      process::log::warning(component, "round failed error=\"{}\"", plan.error().what());
      pause = std::min(pause, settings_.first_retry);
    } else if (plan->wake) {
      pause = std::clamp(*plan->wake - wall_now(), milliseconds(0), round_max);
    }
    if (!poked_ && !stopped_) {
      co_await wake_.wait(pause);
    }
  }
}

void Issuer::stop() {
  stopped_ = true;
  wake_.notify();
  lease_wake_.notify();
  ask_wake_.notify();
}

void Issuer::poke() {
  poked_ = true;
  wake_.notify();
}

// What was known under a former lease may have been changed by another holder meanwhile.
net::Task<void> Issuer::keep_lease() {
  while (!stopped_) {
    auto const lease = co_await vault_.hold_lease(settings_.holder, settings_.lease, wall_now());
    if (!lease) {
      // Perhaps it still holds; it runs out on its own.
      process::log::warning(component, "lease not renewed error=\"{}\"", lease.error().what());
    } else {
      bool const anew = lease->mine && (!lease_.mine || lease->fence != lease_.fence);
      if (lease_.mine && !lease->mine) {
        process::log::warning(component, "'{}' issues certificates now", lease->holder);
      }
      lease_ = *lease;
      if (anew) {
        process::log::info(component, "issues certificates holder={} fence={}", lease_.holder, lease_.fence);
        loaded_ = false;
        poke();
      }
    }
    if (!stopped_) {
      co_await lease_wake_.wait(settings_.lease / 3);
    }
  }
  auto const released = co_await vault_.release_lease();
  if (!released) {
    process::log::debug(component, "lease not released error=\"{}\"", released.error().what());
  }
}

net::Task<base::Result<Plan>> Issuer::round() {
  if (!leads()) {
    co_return Plan{};
  }
  auto const observed = co_await observe();
  if (!observed) {
    co_return observed.error();
  }
  Time const now = wall_now();
  Plan plan = planner_->plan(now);
  for (Start const& one : plan.start) {
    if (flights_.contains(one.id)) {  // begun under an earlier lease and not over yet
      planner_->ended(one.id, one.authority, {protocol::FailureClass::deferred, {}}, now);
      continue;
    }
    flights_[one.id] = one.authority;
    net::spawn(executor_, "acme order of tenant " + std::to_string(one.id), issue(one.id, one.authority));
  }
  if (!revoking_.empty() && !telling_) {
    net::spawn(executor_, "acme revocations", tell_revocations());
  }
  raise_alarms(now);
  if (!alarms_.empty()) {
    plan.wake = std::min(plan.wake.value_or(alarms_.begin()->first), alarms_.begin()->first);
  }
  show_metrics();
  co_await save_limits();
  co_return plan;
}

net::Task<base::Result<void>> Issuer::observe() {
  auto looked = loaded_ ? co_await follow_changes() : co_await load();
  if (!looked) {
    co_return looked;
  }
  co_return co_await remove_leftovers();
}

// Everything, all or nothing: at the start, and when the lease changed hands.
net::Task<base::Result<void>> Issuer::load() {
  auto const position = co_await store_.position();
  if (!position) {
    co_return position.error();
  }
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
  PlannerSettings planning;
  planning.orders_max = settings_.orders_max;
  planning.first_retry = settings_.first_retry;
  std::vector<LimitSettings> limits;
  std::ranges::transform(authorities_, std::back_inserter(limits),
                         [](auto const& authority) { return authority->settings().limits; });
  planner_.emplace(planning, limits);
  for (auto* const index : {&questions_, &expiries_, &alarms_}) {
    index->clear();
  }
  subjects_.clear();
  by_name_.clear();
  alarmed_.clear();
  revoking_.clear();
  attempts_.clear();
  opinions_.clear();
  auto const loaded = co_await load_kept();
  if (!loaded) {
    co_return loaded.error();
  }
  gone_ = {known->begin(), known->end()};
  std::map<std::int64_t, std::vector<vault::CertificateRow const*>> by_tenant;
  for (vault::CertificateRow const& row : *certificates) {  // newest last
    by_tenant[row.tenant_id].push_back(&row);
    if (row.revoked_reason && row.revoked_at == Time{}) {
      revoking_.emplace(row.sequence, row);
    }
  }
  for (store::Tenant const& tenant : *tenants) {
    gone_.erase(tenant.id);
    Subject subject{tenant.label, wanted_names(tenant), {}};
    if (tenant.state != "active" || subject.names.empty()) {
      continue;
    }
    for (vault::CertificateRow const* const row : by_tenant[tenant.id]) {
      subject.certificate = row->names == subject.names ? std::optional(*row) : subject.certificate;
    }
    auto certificate = std::exchange(subject.certificate, {});
    subjects_[tenant.id] = std::move(subject);
    hold(tenant.id, std::move(certificate));
  }
  for (auto const& [key, attempt] : attempts_) {
    if (auto const place = place_of(attempt.directory_url); place || attempt.directory_url.empty()) {
      planner_->park(attempt.tenant_id, {place, attempt.failures, attempt.not_before}, wall_now());
    }
  }
  seen_ = position->revision;
  history_ = position->history;
  loaded_ = true;
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Issuer::load_kept() {
  auto const attempts = co_await vault_.attempts();
  if (!attempts) {
    co_return attempts.error();
  }
  auto const suggestions = co_await vault_.suggestions();
  if (!suggestions) {
    co_return suggestions.error();
  }
  auto const buckets = co_await vault_.buckets();
  if (!buckets) {
    co_return buckets.error();
  }
  for (vault::Attempt const& attempt : *attempts) {
    attempts_.emplace(std::pair(attempt.tenant_id, attempt.directory_url), attempt);
  }
  for (vault::SuggestionRow const& row : *suggestions) {
    opinions_[row.sequence] = Opinion{Suggestion{{row.start, row.end, row.explanation_url}, row.at}, row.ask_again};
  }
  for (vault::Bucket const& bucket : *buckets) {
    auto const place = place_of(bucket.directory_url);
    auto const scope = scope_of(bucket.scope);
    if (place && scope) {
      planner_->limits(*place).restore({*scope, bucket.key, bucket.full_at});
    }
  }
  co_return base::Result<void>();
}

// The rows of the log of changes that are tenants; a log that does not reach back that far means to load anew.
net::Task<base::Result<void>> Issuer::follow_changes() {
  constexpr std::size_t rows_max = 1000;
  while (store_.revision() > seen_) {
    auto const changes = co_await store_.changes(seen_, rows_max, milliseconds(0), history_);
    if (!changes) {
      co_return changes.error();
    }
    if (changes->complete) {
      co_return co_await load();
    }
    for (database::Change const& change : changes->rows) {
      if (change.table != "tenant") {
        continue;
      }
      store::Tenant tenant;
      tenant.id = database::integer(change.key.front().second);
      if (change.values.empty()) {
        forget(tenant.id);
        gone_.insert(tenant.id);
        continue;
      }
      tenant.label = text_of(change, "label");
      tenant.zone = text_of(change, "zone");
      tenant.state = text_of(change, "state");
      auto const noted = co_await note(std::move(tenant));
      if (!noted) {
        co_return noted;
      }
    }
    if (changes->to <= seen_) {
      break;
    }
    seen_ = changes->to;
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Issuer::note(store::Tenant tenant) {
  gone_.erase(tenant.id);
  std::vector<std::string> names = wanted_names(tenant);
  if (tenant.state != "active" || names.empty()) {
    forget(tenant.id);
    co_return base::Result<void>();
  }
  auto const known = subjects_.find(tenant.id);
  if (known != subjects_.end() && known->second.names == names && known->second.label == tenant.label) {
    co_return base::Result<void>();
  }
  auto const certificates = co_await vault_.certificates(tenant.id);
  if (!certificates) {
    co_return certificates.error();
  }
  forget(tenant.id);
  std::optional<vault::CertificateRow> newest;
  for (vault::CertificateRow const& row : *certificates) {
    newest = row.names == names ? std::optional(row) : newest;
  }
  subjects_[tenant.id] = Subject{tenant.label, std::move(names), {}};
  hold(tenant.id, std::move(newest));
  co_return base::Result<void>();
}

// It is no longer wanted; its rows stay.
void Issuer::forget(std::int64_t tenant_id) {
  auto const found = subjects_.find(tenant_id);
  if (found == subjects_.end()) {
    return;
  }
  hold(tenant_id, std::nullopt);
  auto const unname = [this, tenant_id](std::string const& name) {
    if (auto const named = by_name_.find(name); named != by_name_.end() && named->second == tenant_id) {
      by_name_.erase(named);
    }
  };
  unname(found->second.label);
  std::ranges::for_each(found->second.names, unname);
  planner_->drop(tenant_id);
  subjects_.erase(found);
}

// This is the tenant's certificate from now on: every index follows, and the planner.
void Issuer::hold(std::int64_t tenant_id, std::optional<vault::CertificateRow> certificate) {
  Subject& subject = subjects_.at(tenant_id);
  if (subject.certificate) {
    expiries_.erase({subject.certificate->not_after, tenant_id});
    alarms_.erase({alarm_at(*subject.certificate), tenant_id});
    opinions_.erase(certificate ? subject.certificate->sequence : 0);
  }
  alarmed_.erase(tenant_id);
  ask_at(tenant_id, std::nullopt);
  subject.certificate = std::move(certificate);
  subject.wanted_anew = false;
  by_name_[subject.label] = tenant_id;
  for (std::string const& name : subject.names) {
    by_name_[name] = tenant_id;
  }
  if (subject.certificate) {
    expiries_.emplace(subject.certificate->not_after, tenant_id);
    alarms_.emplace(alarm_at(*subject.certificate), tenant_id);
    auto const opinion = opinions_.find(subject.certificate->sequence);
    ask_at(tenant_id, opinion == opinions_.end() ? wall_now() : opinion->second.ask_again);
  }
  want(tenant_id);
}

void Issuer::want(std::int64_t tenant_id) {
  Subject const& subject = subjects_.at(tenant_id);
  Time const now = wall_now();
  Wish wish{tenant_id, tenant_id, registered_domain(subject.names.back(), settings_.public_suffixes), {}, {}};
  for (std::string const& name : subject.names) {
    wish.set += (wish.set.empty() ? "" : " ") + name;
  }
  if (subject.certificate) {
    wish.holding = holding_of(subject, now);
  }
  planner_->want(std::move(wish), now);
}

// Tenants that are gone leave TXT values (when an order was interrupted), certificates and keys behind.
net::Task<base::Result<void>> Issuer::remove_leftovers() {
  std::set<std::int64_t> const gone = gone_;
  for (std::int64_t const tenant_id : gone) {
    if (flights_.contains(tenant_id)) {
      continue;  // the round after its end
    }
    auto const unpublished = co_await dns01_.unpublish(challenge_owner(tenant_id));
    if (!unpublished) {
      co_return unpublished.error();
    }
    auto const forgotten = co_await vault_.forget_tenant(tenant_id);
    if (!forgotten) {
      co_return forgotten.error();
    }
    gone_.erase(tenant_id);
    forget_attempts(tenant_id);
    std::erase_if(revoking_, [tenant_id](auto const& item) { return item.second.tenant_id == tenant_id; });
    process::log::info(component, "removed certificates and keys of a tenant that is gone tenant_id={}", tenant_id);
    if (changed_) {
      changed_();
    }
  }
  co_return base::Result<void>();
}

// Best effort: what is not stored is learned again from the CA's own answer.
net::Task<void> Issuer::save_limits() {
  std::vector<vault::Bucket> buckets;
  for (std::size_t i = 0; i < authorities_.size(); ++i) {
    for (Level& level : planner_->limits(i).take_changes()) {
      buckets.push_back({authorities_[i]->directory_url(), name(level.scope), std::move(level.key), level.full_at});
    }
  }
  if (buckets.empty()) {
    co_return;
  }
  auto const saved = co_await vault_.save_buckets(std::move(buckets));
  if (!saved) {
    process::log::debug(component, "limits not stored error=\"{}\"", saved.error().what());
  }
}

void Issuer::raise_alarms(Time now) {
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    std::int64_t const tenant_id = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    alarmed_.insert(tenant_id);
    vault::Attempt const* const attempt = last_attempt(tenant_id);
    process::log::error(component, "a fifth of the certificate's life is left tenant_id={} names={} error=\"{}\"",
                        tenant_id, subjects_.at(tenant_id).names.back(), attempt == nullptr ? "" : attempt->detail);
  }
}

void Issuer::show_metrics() {
  metrics_.gauge("navigator_acme_tenants", "Tenants that shall have a certificate")
      .set(static_cast<double>(subjects_.size()));
  metrics_.gauge("navigator_acme_certificates", "Tenants that have a certificate")
      .set(static_cast<double>(expiries_.size()));
  metrics_.gauge("navigator_acme_orders_in_flight", "ACME orders in flight").set(static_cast<double>(flights_.size()));
  metrics_.gauge("navigator_acme_orders_waiting", "Certificates that are due and wait for their turn")
      .set(static_cast<double>(planner_->ready()));
  metrics_.gauge("navigator_acme_alarms", "Certificates of whose life a fifth or less is left")
      .set(static_cast<double>(alarmed_.size()));
  metrics_.gauge("navigator_acme_earliest_expiry_seconds", "Unix time at which the first certificate expires; 0: none")
      .set(expiries_.empty() ? 0 : static_cast<double>(crypto::to_ms(expiries_.begin()->first)) / 1000);
}

}  // namespace acme
