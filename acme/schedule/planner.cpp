#include "acme/schedule/planner.hpp"

#include "acme/schedule/renewal.hpp"

#include <algorithm>
#include <utility>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::milliseconds;

constexpr unsigned fresh_of_four = 3;
constexpr unsigned unseen_steps = 6;  // half an hour: it may be our resolver that is away
constexpr milliseconds blocked_look{60000};

Time urgent_at(Holding const& holding) {
  return holding.not_after - std::max(holding.not_after - holding.not_before, milliseconds(0)) / 10;
}

// The pace of renewals may keep it waiting until then.
Time pressing_at(Holding const& holding) {
  return holding.not_after - std::max(holding.not_after - holding.not_before, milliseconds(0)) / 50;
}

// By then its turn should have come.
Time turn_by(Holding const& holding) {
  return holding.due + (holding.not_after - holding.due) / 2;
}

Time earliest(Holding const& holding) {
  return holding.not_before + std::max(holding.not_after - holding.not_before, milliseconds(0)) / 4;
}

double rate_of(Wish const& wish) {
  if (!wish.holding) {
    return 0;
  }
  // A recalled one is due at once, and that says nothing of how long the next one will last.
  milliseconds const life = wish.holding->not_after - wish.holding->not_before;
  milliseconds const span = wish.holding->recalled ? life * 2 / 3 : wish.holding->due - wish.holding->not_before;
  return 1.0 / static_cast<double>(std::max(span, milliseconds(1000)).count());
}

}  // namespace

Planner::Planner(PlannerSettings settings, std::vector<LimitSettings> const& authorities)
    : settings_(settings), breakers_(authorities.size()), blocked_(authorities.size(), false) {
  for (LimitSettings const& one : authorities) {
    limits_.emplace_back(one);
  }
}

void Planner::want(Wish wish, Time now) {
  Entry& entry = entries_[wish.id];
  unplace(entry);
  if (entry.wish.set != wish.set) {
    entry.parked.clear();
    entry.kept.clear();
    entry.unseen = 0;
  }
  rate_ -= entry.rate;
  entry.rate = rate_of(wish);
  rate_ += entry.rate;
  entry.wish = std::move(wish);
  if (!flying_.contains(entry.wish.id)) {
    place(entry, now);
  }
}

void Planner::drop(std::int64_t id) {
  auto const found = entries_.find(id);
  if (found == entries_.end()) {
    return;
  }
  unplace(found->second);
  rate_ = std::max(rate_ - found->second.rate, 0.0);
  entries_.erase(found);
}

void Planner::park(std::int64_t id, Parked parked, Time now) {
  auto const found = entries_.find(id);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  entry.parked[parked.authority.value_or(everywhere)] = parked;
  if (!flying_.contains(id)) {
    unplace(entry);
    place(entry, now);
  }
}

void Planner::retry(std::int64_t id, Time now) {
  auto const found = entries_.find(id);
  if (found == entries_.end() || flying_.contains(id)) {
    return;
  }
  unplace(found->second);
  found->second.parked.clear();
  found->second.unseen = 0;
  place(found->second, now);
}

// The first moment at which it is wanted and not parked everywhere.
Time Planner::base_of(Entry const& entry) const {
  Time ready = entry.wish.holding ? std::min(entry.wish.holding->due, urgent_at(*entry.wish.holding)) : Time{};
  if (entry.wish.holding && (entry.wish.holding->recalled || entry.wish.holding->ordered)) {
    ready = Time{};
  }
  auto const parked = entry.parked.find(everywhere);
  return parked == entry.parked.end() ? ready : std::max(ready, parked->second.until);
}

void Planner::place(Entry& entry, Time now) {
  entry.ready = std::max(base_of(entry), now);
  if (entry.ready > now) {
    waiting_.emplace(entry.ready, entry.wish.id);
    if (entry.wish.holding && entry.parked.empty()) {
      entry.ahead = true;
      ahead_.add(entry.wish.id, turn_by(*entry.wish.holding));
    }
    return;
  }
  enter(entry, lane_of(entry.wish, now));
}

void Planner::leave_ahead(Entry& entry) {
  if (entry.ahead) {
    entry.ahead = false;
    ahead_.remove(entry.wish.id, turn_by(*entry.wish.holding));
  }
}

void Planner::unplace(Entry& entry) {
  leave_ahead(entry);
  waiting_.erase({entry.ready, entry.wish.id});
  postponed_.erase({entry.ready, entry.wish.id});
  if (entry.behind) {
    owners_.at(entry.wish.owner).behind.erase({*std::exchange(entry.behind, std::nullopt), entry.key, entry.wish.id});
    --behind_;
  }
  if (!entry.lane) {
    return;
  }
  if (owners_.contains(entry.wish.owner)) {
    moved_.insert(entry.wish.owner);
  }
  Queue& from = queue(*entry.lane);
  from.waiting.erase({entry.turn, entry.key, entry.wish.id});
  if (auto const owner = from.owners.find(entry.wish.owner); --owner->second == 0) {
    from.owners.erase(owner);
  }
  if (from.waiting.empty()) {
    from.turn = 0;
    from.most = 0;
  }
  if (entry.wish.holding) {
    becoming_urgent_.erase({urgent_at(*entry.wish.holding), entry.wish.id});
    pressing_.remove(entry.wish.id, pressing_at(*entry.wish.holding));
  }
  entry.lane.reset();
}

Planner::Lane Planner::lane_of(Wish const& wish, Time now) const {
  if (!wish.holding) {
    return Lane::fresh;
  }
  if (wish.holding->ordered) {
    return Lane::ordered;
  }
  if (urgent_at(*wish.holding) <= now) {
    return Lane::urgent;
  }
  return wish.holding->recalled ? Lane::recalled : Lane::due;
}

void Planner::enter(Entry& entry, Lane lane) {
  Queue& into = queue(lane);
  entry.turn = into.turn + into.owners[entry.wish.owner]++;
  if (lane == Lane::urgent) {
    entry.key = entry.wish.holding->not_after;
    pressing_.add(entry.wish.id, pressing_at(*entry.wish.holding));
  } else if (entry.wish.holding) {
    entry.key = turn_by(*entry.wish.holding);
  } else {
    entry.key = entry.ready;
  }
  entry.lane = lane;
  into.waiting.emplace(entry.turn, entry.key, entry.wish.id);
  into.most = std::max(into.most, into.waiting.size());
  if (lane == Lane::recalled || lane == Lane::due) {
    becoming_urgent_.emplace(urgent_at(*entry.wish.holding), entry.wish.id);
  }
}

void Planner::advance(Time now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Entry& entry = entries_.at(waiting_.begin()->second);
    postponed_.erase(*waiting_.begin());
    waiting_.erase(waiting_.begin());
    leave_ahead(entry);
    enter(entry, lane_of(entry.wish, now));
  }
  while (!becoming_urgent_.empty() && becoming_urgent_.begin()->first <= now) {
    Entry& entry = entries_.at(becoming_urgent_.begin()->second);
    unplace(entry);
    enter(entry, Lane::urgent);
  }
}

Asking Planner::asking(Wish const& wish, std::size_t authority) const {
  bool const here = wish.holding && wish.holding->authority == authority;
  return {wish.domain, wish.set, here, here && wish.holding->replaceable};
}

std::optional<Limits::Hold> Planner::hold(Entry const& entry, std::size_t authority, Time now) const {
  return entry.kept.contains(authority) ? std::nullopt : limits_[authority].hold(asking(entry.wish, authority), now);
}

Choice Planner::authority_for(Entry const& entry, Time now) const {
  std::vector<std::optional<Time>> parked;
  for (std::size_t i = 0; i < breakers_.size(); ++i) {
    std::optional<Time> until;
    if (auto const found = entry.parked.find(i); found != entry.parked.end()) {
      until = found->second.until;
    }
    if (auto const held = hold(entry, i, now)) {
      until = std::max(until.value_or(held->until), held->until);
    }
    if (blocked_[i]) {
      until = std::max(until.value_or(now), *rests(i, now));
    }
    parked.push_back(until);
  }
  std::optional<Time> all;
  if (auto const found = entry.parked.find(everywhere); found != entry.parked.end()) {
    all = found->second.until;
  }
  return choose_authority(breakers_, parked, all, now);
}

// A block has no end of its own: one looks again after a while.
std::optional<Time> Planner::rests(std::size_t authority, Time now) const {
  return blocked_[authority] ? std::optional(now + blocked_look) : closed_from(breakers_[authority], now);
}

// A lane whose every wish would find no CA is not looked into.
std::optional<Time> Planner::closed(Lane lane, Time now) const {
  std::optional<Time> first;
  for (std::size_t i = 0; i < breakers_.size(); ++i) {
    auto until = rests(i, now);
    if (lane == Lane::fresh) {
      if (auto const hold = limits_[i].account_hold(now)) {
        until = std::max(until.value_or(*hold), *hold);
      }
    }
    if (!until) {
      return std::nullopt;
    }
    first = std::min(first.value_or(*until), *until);
  }
  return first;
}

milliseconds Planner::interval(Lane lane) const {
  if (lane == Lane::recalled) {
    return settings_.recall_span / static_cast<std::int64_t>(std::max<std::size_t>(queue(lane).most, 1));
  }
  double const slowest = 1.0 / static_cast<double>(settings_.slowest_pace.count());
  return milliseconds(static_cast<std::int64_t>(1.0 / std::max(rate_ * settings_.headroom, slowest)));
}

void Planner::paced(Lane lane, Time now) {
  if (lane == Lane::recalled || lane == Lane::due || lane == Lane::urgent) {
    // A late look makes up for at most a minute, so that the mean rate holds when rounds are coarse.
    Queue& of = queue(lane == Lane::urgent ? Lane::due : lane);
    Time const before = std::max(of.open_at.value_or(Time{}), now - std::chrono::minutes(1));
    of.open_at = before + interval(lane);
  }
}

// Nothing of this lane starts before then. What an outage made urgent is a heap, too: it goes by the pace as long as
// that leaves nobody to his last hours.
std::optional<Time> Planner::pace_of(Lane lane, Time now) const {
  auto const& pace = queue(lane == Lane::urgent ? Lane::due : lane).open_at;
  if (!pace || *pace <= now) {
    return std::nullopt;
  }
  if (lane == Lane::urgent) {
    Time const pressing = pressing_.begin(0, interval(lane)).value_or(*pace);
    return pressing > now ? std::optional(std::min(*pace, pressing)) : std::nullopt;
  }
  return pace;
}

std::optional<Planner::Lane> Planner::next_lane(Time now, std::optional<Time>& wake) {
  std::array<Lane, 5> order{Lane::ordered, Lane::urgent, Lane::fresh, Lane::recalled, Lane::due};
  if (fresh_in_a_row_ >= fresh_of_four) {
    order = {Lane::ordered, Lane::urgent, Lane::recalled, Lane::due, Lane::fresh};
  }
  for (Lane const lane : order) {
    if (queue(lane).waiting.empty()) {
      continue;
    }
    auto until = closed(lane, now);
    if (auto const pace = pace_of(lane, now)) {
      until = std::max(until.value_or(*pace), *pace);
    }
    if (!until) {
      return lane;
    }
    wake = std::min(wake.value_or(*until), *until);
  }
  return std::nullopt;
}

// Those of one domain wait one after the other, not all for the same moment.
void Planner::postpone(Entry& entry, Time until, Time now) {
  Time place = until;
  if (auto const held = hold(entry, 0, now); held && held->scope == Scope::domain) {
    Time& last = held_[entry.wish.domain];
    place = std::max(until, last + limits_[0].step(Scope::domain));
    last = place;
    if (held_.size() > sweep_held_above_) {
      std::erase_if(held_, [now](auto const& item) { return item.second <= now; });
      sweep_held_above_ = std::max<std::size_t>(1024, 2 * held_.size());
    }
  }
  entry.ready = place;
  waiting_.emplace(place, entry.wish.id);
  postponed_.emplace(place, entry.wish.id);
}

bool Planner::is_full(std::int64_t owner) const {
  auto const found = owners_.find(owner);
  return found != owners_.end() && found->second.flying >= settings_.of_owner_max;
}

// True when its owner has as many in flight as one may: it waits for one of them to end.
bool Planner::step_behind(Entry& entry, Lane lane) {
  if (lane == Lane::ordered || !is_full(entry.wish.owner)) {
    return false;
  }
  entry.behind = lane;
  owners_.at(entry.wish.owner).behind.emplace(lane, entry.key, entry.wish.id);
  ++behind_;
  return true;
}

// The first of an owner's that are behind, when there is room. It leaves its lane one day, which looks here again.
void Planner::call_up(std::int64_t id, Time now) {
  auto const owner = owners_.find(id);
  while (owner != owners_.end() && !owner->second.behind.empty() && owner->second.flying < settings_.of_owner_max) {
    Entry& next = entries_.at(std::get<2>(*owner->second.behind.begin()));
    unplace(next);
    place(next, now);
    if (next.lane) {
      break;
    }
  }
  if (owner != owners_.end() && owner->second.flying == 0 && owner->second.behind.empty()) {
    owners_.erase(owner);
  }
}

void Planner::take_off(Entry& entry, std::size_t authority, Time now) {
  Flight flight{now, authority, entry.wish.owner, entry.wish.set, {}};
  if (!entry.kept.contains(authority)) {
    flight.reserved = asking(entry.wish, authority);
    limits_[authority].reserve(*flight.reserved);
  }
  ++owners_[flight.owner].flying;
  flying_.emplace(entry.wish.id, std::move(flight));
}

void Planner::placed(std::int64_t id, std::size_t authority, Time now) {
  auto const flight = flying_.find(id);
  if (flight != flying_.end() && flight->second.authority == authority && flight->second.reserved) {
    Asking const asked = *std::exchange(flight->second.reserved, std::nullopt);
    limits_[authority].release(asked);
    limits_[authority].spend(asked, now);
  } else if (auto const found = entries_.find(id); found != entries_.end()) {
    limits_[authority].spend(asking(found->second.wish, authority), now);
  }
}

void Planner::keeps(std::int64_t id, std::size_t authority) {
  if (auto const found = entries_.find(id); found != entries_.end()) {
    found->second.kept.insert(authority);
  }
}

// What was reserved and not placed is free again: whoever waits first for a place looks anew, unless his own limit
// still holds. He would then be sent to the end of those who wait for it, by every failure of anybody.
void Planner::land(Flight const& flight, Time now) {
  --owners_.at(flight.owner).flying;
  moved_.insert(flight.owner);
  if (!flight.reserved) {
    return;
  }
  limits_[flight.authority].release(*flight.reserved);
  auto const first = postponed_.begin();
  if (first != postponed_.end() && !hold(entries_.at(first->second), flight.authority, now)) {
    Entry& next = entries_.at(first->second);
    unplace(next);
    place(next, now);
  }
}

// One of a crowd that is not due yet, when nothing that is due waits for the place.
void Planner::begin_ahead(Time now, std::optional<Time>& wake) {
  Queue const& due = queue(Lane::due);
  if (!due.waiting.empty() || !queue(Lane::urgent).waiting.empty()) {
    return;
  }
  if (now >= look_ahead_) {
    ahead_from_ = ahead_.begin(0, interval(Lane::due));
    look_ahead_ = now + interval(Lane::due);
  }
  if (!ahead_from_) {
    return;
  }
  // Who has as many in flight as one may holds up nobody else; the end of one of them looks here again.
  auto const first = ahead_.first([this](std::int64_t id) { return !is_full(entries_.at(id).wish.owner); });
  if (!first) {
    return;
  }
  Entry& entry = entries_.at(*first);
  Time const from = std::max({*ahead_from_, due.open_at.value_or(now), earliest(*entry.wish.holding)});
  if (from > now) {
    wake = std::min(wake.value_or(from), from);
    return;
  }
  unplace(entry);
  enter(entry, lane_of(entry.wish, now));
}

Plan Planner::plan(Time now) {
  advance(now);
  Plan out;
  while (flying_.size() < settings_.orders_max) {
    for (std::int64_t const owner : std::exchange(moved_, {})) {
      call_up(owner, now);
    }
    begin_ahead(now, out.wake);
    auto const lane = next_lane(now, out.wake);
    if (!lane) {
      break;
    }
    auto const [turn, key, id] = *queue(*lane).waiting.begin();
    Entry& entry = entries_.at(id);
    queue(*lane).turn = turn;
    unplace(entry);
    if (step_behind(entry, *lane)) {
      continue;
    }
    Choice const choice = authority_for(entry, now);
    if (!choice.authority) {
      postpone(entry, *choice.wake, now);
      continue;
    }
    paced(*lane, now);
    fresh_in_a_row_ = *lane == Lane::fresh ? fresh_in_a_row_ + 1 : 0;
    Breaker& breaker = breakers_[*choice.authority];
    breaker.trying = breaker.open_until.has_value();
    take_off(entry, *choice.authority, now);
    out.start.push_back({id, *choice.authority});
  }
  for (auto const* const next : {&waiting_, &becoming_urgent_}) {
    if (!next->empty()) {
      out.wake = std::min(out.wake.value_or(next->begin()->first), next->begin()->first);
    }
  }
  return out;
}

// A proof that one CA does not see is seldom seen by another, so that the others are spared it; but where one CA alone
// is wrong, by its resolvers or its way to us, the next one is asked in the end. The first one is tried again on the
// ladder of its own failures, and comes first again once there is a certificate.
bool Planner::moves_on(Entry const& entry, std::size_t authority) const {
  if (breakers_.size() < 2) {
    return false;
  }
  auto const here = entry.parked.find(authority);
  auto const all = entry.parked.find(everywhere);
  bool const before = here != entry.parked.end() && here->second.failures >= settings_.proofs_tried;
  return before || (all == entry.parked.end() ? 1 : all->second.failures + 1) >= settings_.proofs_tried;
}

std::optional<Parked> Planner::ended(std::int64_t id, std::size_t authority, Ending ending, Time now) {
  auto const flight = flying_.extract(id);
  Time const began = flight ? flight.mapped().began : now;
  breakers_[authority] = after_outcome(breakers_[authority], ending.failure, began, now);
  if (flight) {
    land(flight.mapped(), now);
  }
  auto const found = entries_.find(id);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  Entry& entry = found->second;
  unplace(entry);
  if (ending.kept.value_or(false) && flight && flight.mapped().set == entry.wish.set) {
    entry.kept.insert(authority);
  } else if (ending.kept) {
    entry.kept.erase(authority);
  }
  entry.unseen = ending.unseen ? entry.unseen + 1 : 0;
  if (ending.failure == FailureClass::none) {
    entry.parked.clear();
    entry.kept.clear();
    place(entry, now);
    return std::nullopt;
  }
  bool const moved_on = ending.failure == FailureClass::validation && moves_on(entry, authority);
  bool const here = moved_on || concerns_one_authority(ending.failure);
  Parked& parked = entry.parked[here ? authority : everywhere];
  parked.moved_on = moved_on;
  if (moved_on) {
    auto const all = entry.parked.extract(everywhere);
    parked.failures = std::max(parked.failures, all ? all.mapped().failures : 0);
  }
  parked.authority = here ? std::optional(authority) : std::nullopt;
  parked.failures += ending.failure == FailureClass::deferred ? 0 : 1;
  milliseconds const pause =
      ending.unseen ? pause_after(FailureClass::transient, std::min(entry.unseen, unseen_steps), settings_.first_retry)
                    : pause_after(ending.failure, parked.failures, settings_.first_retry);
  parked.until = ending.not_before.value_or(now + pause);
  Asking const asked = asking(entry.wish, authority);
  if (ending.failure == FailureClass::not_before) {
    limits_[authority].refused(asked, parked.until, now);
  } else if (ending.failure == FailureClass::validation) {
    limits_[authority].validation_failed(asked, now);
  }
  Parked const out = parked;
  place(entry, now);
  return out;
}

std::size_t Planner::ready() const {
  std::size_t count = behind_;
  for (Queue const& lane : lanes_) {
    count += lane.waiting.size();
  }
  return count;
}

Time Planner::next_attempt(std::int64_t id, Time now) const {
  auto const found = entries_.find(id);
  if (found == entries_.end() || flying_.contains(id)) {
    return now;
  }
  Time next = std::max(base_of(found->second), now);
  if (Choice const choice = authority_for(found->second, next); !choice.authority) {
    next = std::max(next, *choice.wake);
  }
  return found->second.lane ? next : std::max(next, found->second.ready);
}

std::vector<Hindrance> Planner::why(std::int64_t id, Time now) const {
  std::vector<Hindrance> list;
  auto const found = entries_.find(id);
  if (found == entries_.end() || flying_.contains(id)) {
    return list;
  }
  Entry const& entry = found->second;
  if (entry.wish.holding && base_of(entry) > now) {
    list.push_back({std::nullopt, "not due", base_of(entry)});
  }
  for (auto const& [place, parked] : entry.parked) {
    if (parked.until > now) {
      std::string const count = std::to_string(parked.failures) + (parked.failures == 1 ? " failure" : " failures");
      list.push_back({parked.authority, "parked after " + count, parked.until});
    }
  }
  for (std::size_t i = 0; i < breakers_.size(); ++i) {
    if (auto const until = rests(i, now)) {
      list.push_back({i, blocked_[i] ? "blocked: a person must act, see the authority" : "resting", *until});
    }
    if (auto const held = hold(entry, i, now)) {
      list.push_back({i, std::string("limit: ") + name(held->scope), held->until});
    }
  }
  if (auto const pace = entry.lane ? pace_of(*entry.lane, now) : std::nullopt) {
    list.push_back({std::nullopt, "pace", *pace});
  }
  if (entry.lane && flying_.size() >= settings_.orders_max) {
    list.push_back({std::nullopt, "no free place", Time{}});
  }
  if (entry.behind) {
    list.push_back({std::nullopt, "two of its tenant's are in flight", Time{}});
  }
  return list;
}

}  // namespace acme
