#include "acme/alarms/alarms.hpp"

#include <algorithm>

namespace acme {

void Alarms::hold(std::int64_t id, crypto::Time not_before, crypto::Time not_after) {
  set(id, {not_after - std::max(not_after - not_before, std::chrono::milliseconds(0)) / 5, false});
}

void Alarms::lack(std::int64_t id, crypto::Time since, crypto::Time now) {
  set(id, {std::max(since + first_within_, now + first_within_ / 10), true});
}

void Alarms::set(std::int64_t id, Known known) {
  drop(id);
  known_.emplace(id, known);
  due_.emplace(known.at, id);
}

void Alarms::drop(std::int64_t id) {
  auto const known = known_.extract(id);
  if (known) {
    due_.erase({known.mapped().at, id});
    expiring_.erase(id);
    missing_.erase(id);
  }
}

void Alarms::clear() {
  known_.clear();
  due_.clear();
  expiring_.clear();
  missing_.clear();
}

std::vector<std::int64_t> Alarms::raise(crypto::Time now) {
  std::vector<std::int64_t> raised;
  while (!due_.empty() && due_.begin()->first <= now) {
    std::int64_t const id = due_.begin()->second;
    due_.erase(due_.begin());
    (known_.at(id).missing ? missing_ : expiring_).insert(id);
    raised.push_back(id);
  }
  return raised;
}

std::optional<crypto::Time> Alarms::next() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

}  // namespace acme
