#include "acme/schedule/limits.hpp"

#include <algorithm>

namespace acme {

using std::chrono::milliseconds;

char const* name(Scope scope) {
  switch (scope) {
    case Scope::orders:
      return "orders";
    case Scope::domain:
      return "domain";
    case Scope::set:
      return "set";
    case Scope::failures:
      return "failures";
  }
  return "unknown";
}

std::optional<Scope> scope_of(std::string_view text) {
  for (Scope const scope : {Scope::orders, Scope::domain, Scope::set, Scope::failures}) {
    if (text == name(scope)) {
      return scope;
    }
  }
  return std::nullopt;
}

LimitSettings lets_encrypt_limits() {
  using std::chrono::hours;
  return {{300, hours(3)}, {50, hours(168)}, {5, hours(168)}, {5, hours(1)}};
}

Allowance Limits::allowance(Scope scope) const {
  switch (scope) {
    case Scope::orders:
      return settings_.orders;
    case Scope::domain:
      return settings_.domain;
    case Scope::set:
      return settings_.set;
    case Scope::failures:
      break;
  }
  return settings_.failures;
}

milliseconds Limits::step(Scope scope) const {
  Allowance const limit = allowance(scope);
  return limit.count == 0 ? milliseconds(0) : limit.per / limit.count;
}

std::vector<Limits::Key> Limits::counted(Asking const& asking) const {
  std::vector<Key> keys;
  if (!asking.renewal && !asking.replaces) {
    keys.emplace_back(Scope::orders, std::string());
    keys.emplace_back(Scope::domain, asking.domain);
  }
  if (!asking.replaces) {
    keys.emplace_back(Scope::set, asking.set);
  }
  return keys;
}

// With count tokens in it the bucket would be full `step` later than it is now for each one that is missing.
Time Limits::open_at(Key const& key, Time now) const {
  auto const found = full_at_.find(key);
  Allowance const limit = allowance(key.first);
  if (limit.count == 0) {
    return found == full_at_.end() ? Time{} : found->second;
  }
  Time full = found == full_at_.end() ? Time{} : found->second;
  if (auto const reserved = reserved_.find(key); reserved != reserved_.end()) {
    full = std::max(full, now) + step(key.first) * reserved->second;
  }
  return full == Time{} ? full : full - (limit.per - step(key.first));
}

void Limits::take(Key const& key, Time now) {
  if (allowance(key.first).count == 0) {
    return;
  }
  Time& full = full_at_.try_emplace(key, now).first->second;
  full = std::max(full, now) + step(key.first);
  changed_.insert(key);
}

void Limits::drain(Key const& key, Time until) {
  Allowance const limit = allowance(key.first);
  Time const full = limit.count == 0 ? until : until + (limit.per - step(key.first));
  Time& present = full_at_.try_emplace(key, full).first->second;
  present = std::max(present, full);
  changed_.insert(key);
}

std::optional<Limits::Hold> Limits::hold(Asking const& asking, Time now) const {
  std::optional<Hold> longest;
  auto const consider = [&](Scope scope, Time until) {
    if (until > now && (!longest || until > longest->until)) {
      longest = Hold{scope, until};
    }
  };
  for (Key const& key : counted(asking)) {
    consider(key.first, open_at(key, now));
  }
  consider(Scope::failures, open_at({Scope::failures, asking.set}, now));
  // A refusal is by its names even for orders that the buckets do not count.
  if (refusal_ && refusal_->set == asking.set) {
    consider(Scope::set, refusal_->until);
  }
  consider(Scope::orders, closed_until_);
  return longest;
}

std::optional<Time> Limits::account_hold(Time now) const {
  Time const until = std::max(open_at({Scope::orders, {}}, now), closed_until_);
  return until > now ? std::optional(until) : std::nullopt;
}

void Limits::spend(Asking const& asking, Time now) {
  for (Key const& key : counted(asking)) {
    take(key, now);
  }
  forget_full(now);
}

void Limits::reserve(Asking const& asking) {
  for (Key& key : counted(asking)) {
    ++reserved_[std::move(key)];
  }
}

void Limits::release(Asking const& asking) {
  for (Key const& key : counted(asking)) {
    if (auto const found = reserved_.find(key); found != reserved_.end() && --found->second == 0) {
      reserved_.erase(found);
    }
  }
}

void Limits::validation_failed(Asking const& asking, Time now) {
  take({Scope::failures, asking.set}, now);
}

void Limits::refused(Asking const& asking, Time until, Time now) {
  if (until <= now) {
    return;
  }
  drain({Scope::set, asking.set}, until);
  if (refusal_ && refusal_->until > now && refusal_->set != asking.set) {
    Time const both = std::min(until, refusal_->until);
    if (refusal_->domain == asking.domain) {
      drain({Scope::domain, asking.domain}, both);
    } else {
      // Two domains at their own limits look the same: a guess that stops everybody is tried again after an hour.
      closed_until_ = std::max(closed_until_, std::min(both, now + std::chrono::hours(1)));
    }
  }
  refusal_ = Refusal{asking.domain, asking.set, until};
}

// A full bucket is the same as none.
void Limits::forget_full(Time now) {
  if (full_at_.size() <= forget_above_) {
    return;
  }
  std::erase_if(full_at_, [now](auto const& item) { return item.second <= now; });
  forget_above_ = std::max<std::size_t>(1024, 2 * full_at_.size());
}

std::vector<Level> Limits::take_changes() {
  std::vector<Level> levels;
  for (Key const& key : std::exchange(changed_, {})) {
    if (auto const found = full_at_.find(key); found != full_at_.end()) {
      levels.push_back({key.first, key.second, found->second});
    }
  }
  return levels;
}

void Limits::restore(Level const& level) {
  full_at_[{level.scope, level.key}] = level.full_at;
}

}  // namespace acme
