#include "acme/issuer.hpp"

#include "base/process/log.hpp"

#include <algorithm>

namespace acme {
namespace {

using crypto::wall_now;
using std::chrono::milliseconds;

constexpr char const* component = "acme";
constexpr milliseconds round_max{60000};
constexpr milliseconds upload_pause{1000};
constexpr milliseconds settle_look{5};

}  // namespace

Issuer::Issuer(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault, process::Metrics& metrics,
               IssuerSettings settings, std::function<std::vector<Site>()> sites)
    : executor_(executor),
      store_(store),
      vault_(vault),
      measures_(metrics),
      settings_(std::move(settings)),
      dns01_(executor, store, std::move(sites), settings_.gate),
      ordering_(
          {store, vault, metrics, dns01_, settings_.order, settings_.look, settings_.caa_look, settings_.publish_caa}),
      wishes_(store, settings_.challenge_zone),
      wake_(executor),
      lease_wake_(executor),
      alarms_(settings_.first_certificate_within),
      revocations_(
          vault, [this](std::string const& url) { return authority_of(url); }, settings_.first_retry),
      dropped_orders_(
          vault, [this](std::string const& url) { return authority_of(url); }, settings_.first_retry),
      ask_wake_(executor) {
  ASSERT(!settings_.authorities.empty());
  for (AuthoritySettings const& one : settings_.authorities) {
    authorities_.push_back(std::make_unique<Authority>(executor, vault, one));
  }
  questions_.resize(authorities_.size());
  if (settings_.staging) {
    staging_ = std::make_unique<Authority>(executor, vault, *settings_.staging);
  }
}

Issuer::~Issuer() = default;

net::Task<void> Issuer::run() {
  net::spawn(executor_, "acme lease", keep_lease());
  for (std::size_t place = 0; place < authorities_.size(); ++place) {
    net::spawn(executor_, "acme renewal suggestions", follow_suggestions(place));
  }
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
    if (!gone_.empty()) {  // a site may go out of service, which nobody says
      pause = std::min(pause, milliseconds(2000));
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

net::Task<void> Issuer::settle(milliseconds deadline) {
  auto const end = std::chrono::steady_clock::now() + deadline;
  while (ordering_.is_placing() && std::chrono::steady_clock::now() < end) {
    co_await net::wait_for(settle_look);
  }
}

void Issuer::poke() {
  poked_ = true;
  wake_.notify();
}

void Issuer::poke_gate() {
  dns01_.poke();
  if (!gone_.empty()) {
    poke();
  }
}

void Issuer::tell(std::int64_t tenant_id) const {
  if (changed_) {
    changed_(tenant_id);
  }
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
    if (uploading_->contains(one.id)) {  // what its tenant brings may make the order needless
      planner_->ended(one.id, one.authority, {protocol::FailureClass::deferred, now + upload_pause}, now);
      continue;
    }
    flights_[one.id] = one.authority;
    net::spawn(executor_, "acme order " + std::to_string(one.id), issue(one.id, one.authority));
  }
  auto const telling = revocations_.next();
  if (telling && *telling <= now) {
    net::spawn(executor_, "acme revocations", revocations_.tell());
  } else if (telling) {
    plan.wake = std::min(plan.wake.value_or(*telling), *telling);
  }
  auto const dropping = dropped_orders_.next(now);
  if (dropping && *dropping <= now) {
    net::spawn(executor_, "acme dropped orders", dropped_orders_.tell());
  } else if (dropping) {
    plan.wake = std::min(plan.wake.value_or(*dropping), *dropping);
  }
  if (settings_.publish_caa && announce_at_ <= now) {
    net::spawn(executor_, "acme CAA records", announce());
  }
  raise_alarms(now);
  if (auto const alarm = alarms_.next()) {
    plan.wake = std::min(plan.wake.value_or(*alarm), *alarm);
  }
  show_metrics(now);
  co_await save_limits();
  co_return plan;
}

net::Task<base::Result<void>> Issuer::observe() {
  std::int64_t const fence = lease_.fence;
  // Rows first, tenants second: a tenant that is made in between cannot look like one that is gone.
  if (!loaded_) {
    wishes_.forget();
    auto const loaded = co_await load();
    if (!loaded) {
      co_return loaded.error();
    }
  }
  auto news = co_await wishes_.follow();
  if (!news) {
    co_return news.error();
  }
  if (news->anew && loaded_) {  // the log of changes did not reach back
    loaded_ = false;
    co_return co_await observe();
  }
  auto const took = co_await take(std::move(*news));
  if (!took) {
    co_return took.error();
  }
  wishes_.taken();
  loaded_ = lease_.fence == fence;  // else it changed hands meanwhile, and everything is read again
  co_return co_await remove_leftovers();
}

// What the vault has, all or nothing: at the start, and when the lease changed hands.
net::Task<base::Result<void>> Issuer::load() {
  if (auto const swept = co_await settle_proofs(); !swept) {
    co_return swept.error();
  }
  auto const rows = co_await vault_.subjects();
  if (!rows) {
    co_return rows.error();
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
  std::ranges::for_each(unusable_, [this](std::size_t place) { planner_->block(place, true); });
  questions_.assign(authorities_.size(), {});
  expiries_.clear();
  alarms_.clear();
  rows_.clear();
  read_.clear();
  subjects_.clear();
  names_.clear();
  gone_.clear();
  revocations_.clear();
  dropped_orders_.look();
  attempts_.clear();
  opinions_.clear();
  auto const loaded = co_await load_kept();
  if (!loaded) {
    co_return loaded.error();
  }
  for (vault::SubjectRow const& row : *rows) {
    rows_[{row.tenant_id, row.name}] = row.id;
    since_[row.id] = row.since;
  }
  for (vault::CertificateRow const& row : *certificates) {  // newest last
    read_[row.subject_id].push_back(row);
    if (row.revoked_reason && row.revoked_at == Time{}) {
      revocations_.add(row);
    }
  }
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
  auto begun = co_await vault_.ordering();
  if (!begun) {
    co_return begun.error();
  }
  begun_ = std::move(*begun);
  for (vault::Attempt const& attempt : *attempts) {
    attempts_.emplace(std::pair(attempt.subject_id, attempt.directory_url), attempt);
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

net::Task<base::Result<void>> Issuer::take(News news) {
  std::vector<vault::SubjectRow> fresh;
  std::vector<bool> own;
  for (Wanted const& one : news.wanted) {
    if (!rows_.contains({one.tenant_id, one.name})) {
      fresh.push_back({0, one.tenant_id, one.name});
      own.push_back(one.kind == Wanted::Kind::own);
    }
  }
  auto const made = co_await vault_.ensure_subjects(std::move(fresh), std::move(own));
  if (!made) {
    co_return made.error();
  }
  for (vault::SubjectRow const& row : *made) {
    if (auto const nameless = rows_.find({row.tenant_id, std::string()});
        nameless != rows_.end() && nameless->second == row.id) {
      rows_.erase(nameless);  // what was kept without a name has one now
    }
    rows_[{row.tenant_id, row.name}] = row.id;
    since_[row.id] = row.since;
  }
  leave(news);
  for (Wanted& one : news.wanted) {
    std::int64_t const id = rows_.at({one.tenant_id, one.name});
    vault::SubjectRow row{id, one.tenant_id, one.name, since_[id]};
    auto const taken = co_await take_in(std::move(row), std::move(one), news.anew);
    if (!taken) {
      co_return taken.error();
    }
  }
  read_.clear();
  co_return base::Result<void>();
}

// What these tenants want no longer: its rows go, unless the tenant is suspended and may come back.
void Issuer::leave(News const& news) {
  std::set<std::int64_t> wanted;
  for (Wanted const& one : news.wanted) {
    wanted.insert(rows_.at({one.tenant_id, one.name}));
  }
  auto const consider = [&](std::pair<std::int64_t, std::string> const& key, std::int64_t subject_id) {
    if (wanted.contains(subject_id)) {
      gone_.erase(subject_id);
      return;
    }
    forget(subject_id);
    if (!news.resting.contains(key.first)) {
      gone_.try_emplace(subject_id, Gone{{subject_id, key.first, key.second}, store_.revision()});
    }
  };
  if (news.anew) {
    for (auto const& [key, subject_id] : rows_) {
      consider(key, subject_id);
    }
    return;
  }
  for (std::int64_t const tenant_id : news.tenants) {
    auto const first = rows_.lower_bound({tenant_id, std::string()});
    for (auto row = first; row != rows_.end() && row->first.first == tenant_id; ++row) {
      consider(row->first, row->second);
    }
  }
}

net::Task<base::Result<void>> Issuer::take_in(vault::SubjectRow row, Wanted wanted, bool anew) {
  std::int64_t const id = row.id;
  if (auto const known = subjects_.find(id); known != subjects_.end()) {
    bool const recovered = known->second.wanted.failing && !wanted.failing;
    names_.remove(known->second.wanted, id);
    known->second.wanted = std::move(wanted);
    names_.add(known->second.wanted, id);
    if (recovered) {
      planner_->retry(id, wall_now());
    }
    co_return base::Result<void>();
  }
  std::vector<vault::CertificateRow> certificates;
  if (!anew) {
    auto rows = co_await vault_.certificates(id);
    if (!rows) {
      co_return rows.error();
    }
    certificates = std::move(*rows);
  } else if (auto const found = read_.find(id); found != read_.end()) {
    certificates = std::move(found->second);
  }
  vault::CertificateRow const* const best = newest(wanted, certificates, wall_now());
  std::optional<vault::CertificateRow> present = best == nullptr ? std::nullopt : std::optional(*best);
  // It took the place of one that was revoked, whose replacement was ordered at once.
  bool const recalled = best != nullptr && std::ranges::any_of(certificates, [&](vault::CertificateRow const& one) {
                          return one.revoked_reason && one.sequence > best->sequence && fits(wanted, one);
                        });
  Subject const& subject = subjects_[id] = Subject{std::move(row), std::move(wanted), {}};
  names_.add(subject.wanted, id);
  hold(id, std::move(present));
  auto const begun = begun_.lower_bound({id, {}});
  if (begun != begun_.end() && begun->first == id) {  // due or not: it is gone on with
    replace(id, true);
  } else if (recalled) {
    replace(id, false);
  }
  for (auto one = begun; one != begun_.end() && one->first == id; one = begun_.erase(one)) {
    if (auto const place = place_of(one->second)) {
      planner_->keeps(id, *place);
    }
  }
  for (auto attempt = attempts_.lower_bound({id, {}}); attempt != attempts_.end() && attempt->first.first == id;
       ++attempt) {
    vault::Attempt const& kept = attempt->second;
    if (auto const place = place_of(kept.directory_url); place || kept.directory_url.empty()) {
      planner_->park(id, {place, kept.failures, kept.not_before}, wall_now());
    }
  }
  co_return base::Result<void>();
}

// It is no longer wanted; its rows stay.
void Issuer::forget(std::int64_t subject_id) {
  auto const found = subjects_.find(subject_id);
  if (found == subjects_.end()) {
    return;
  }
  hold(subject_id, std::nullopt);
  alarms_.drop(subject_id);
  names_.remove(found->second.wanted, subject_id);
  planner_->drop(subject_id);
  subjects_.erase(found);
}

// This is the subject's certificate from now on: every index follows, and the planner.
void Issuer::hold(std::int64_t subject_id, std::optional<vault::CertificateRow> certificate) {
  Subject& subject = subjects_.at(subject_id);
  if (subject.certificate) {
    expiries_.erase({subject.certificate->not_after, subject_id});
    opinions_.erase(certificate ? subject.certificate->sequence : 0);
  }
  ask_at(subject_id, std::nullopt);
  subject.certificate = std::move(certificate);
  subject.wanted_anew = subject.ordered = false;
  if (subject.certificate) {
    expiries_.emplace(subject.certificate->not_after, subject_id);
    alarms_.hold(subject_id, subject.certificate->not_before, subject.certificate->not_after);
    auto const opinion = opinions_.find(subject.certificate->sequence);
    ask_at(subject_id, opinion == opinions_.end() ? wall_now() : opinion->second.ask_again);
  } else {
    alarms_.lack(subject_id, subject.row.since, wall_now());
  }
  want(subject_id);
}

void Issuer::want(std::int64_t subject_id) {
  Subject const& subject = subjects_.at(subject_id);
  // What the tenant brought and keeps himself.
  bool const left_alone = subject.certificate && subject.certificate->uploaded && !subject.certificate->fallback;
  if (left_alone && !subject.wanted_anew) {
    planner_->drop(subject_id);
    return;
  }
  Time const now = wall_now();
  Wish wish{subject_id, subject.row.tenant_id, registered_domain(subject.row.name, settings_.public_suffixes), {}, {}};
  for (std::string const& name : subject.wanted.names) {
    wish.set += (wish.set.empty() ? "" : " ") + name;
  }
  if (subject.certificate) {
    wish.holding = holding_of(subject, now);
  }
  planner_->want(std::move(wish), now);
}

// Subjects that are gone leave TXT values (when an order was interrupted), certificates and keys behind. Those stay
// while a site may still answer the name: edges serve it until then, and must find it after a restart.
net::Task<base::Result<void>> Issuer::remove_leftovers() {
  std::map<std::int64_t, Gone> const gone = gone_;
  store::Revision const everywhere = gone.empty() ? 0 : dns01_.everywhere();
  for (auto const& [subject_id, one] : gone) {
    vault::SubjectRow const& row = one.row;
    if (flights_.contains(subject_id) || everywhere < one.since || revocations_.holds(subject_id)) {
      continue;  // the round after its end, after the last site's word, or after the CA's
    }
    std::string owner = challenge_owner(row.tenant_id, subject_id);
    auto const unpublished = co_await dns01_.unpublish_below(std::move(owner));
    if (!unpublished) {
      co_return unpublished.error();
    }
    auto const forgotten = co_await vault_.forget_subject(subject_id);
    if (!forgotten) {
      co_return forgotten.error();
    }
    rows_.erase({row.tenant_id, row.name});
    since_.erase(subject_id);
    gone_.erase(subject_id);
    dropped_orders_.look();
    forget_attempts(attempts_, subject_id);
    process::log::info(component, "removed certificates and keys of a name that is gone tenant_id={} name={}",
                       row.tenant_id, row.name);
    tell(row.tenant_id);
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
  auto const saved = co_await vault_.save_buckets(std::move(buckets), wall_now());
  if (!saved) {
    process::log::debug(component, "limits not stored error=\"{}\"", saved.error().what());
  }
}

void Issuer::raise_alarms(Time now) {
  for (std::int64_t const subject_id : alarms_.raise(now)) {
    vault::Attempt const* const attempt = last_attempt(attempts_, subject_id);
    vault::SubjectRow const& subject = subjects_.at(subject_id).row;
    process::log::error(component, "{} tenant_id={} name={} error=\"{}\"",
                        alarms_.missing(subject_id) ? "a name has been without its first certificate for too long"
                                                    : "a fifth of the certificate's life is left",
                        subject.tenant_id, subject.name, attempt == nullptr ? "" : attempt->detail);
  }
}

void Issuer::show_metrics(Time now) {
  auto const earliest = expiries_.empty() ? std::nullopt : std::optional(expiries_.begin()->first);
  measures_.show({subjects_.size(), expiries_.size(), flights_.size(), planner_->ready(), alarms_.expiring(),
                  alarms_.missing(), earliest});
  if (measures_.life_is_due(now)) {
    LifeLeft life;
    for (auto const& [id, subject] : subjects_) {
      if (subject.certificate) {
        life.count(subject.certificate->not_before, subject.certificate->not_after, now);
      }
    }
    measures_.show_life(life, now);
  }
}

}  // namespace acme
