// Which certificates are asked for now, and of which CA: the state between the pure rules of renewal.hpp, failover.hpp
// and limits.hpp. It has no clock and no I/O: the issuer and the simulation of a hundred thousand tenants drive the
// same object.
//
//   want() --> waiting, by the moment it is due --> a lane --> plan(): start --> in flight --> ended() --> waiting ...
//
//   lane      who                                              pace
//   ordered   by a person, who waits for it                    none
//   urgent    in the last tenth of its life                    that of due; none once it would leave one of them to the
//                                                              last fiftieth of its life
//   fresh     has no certificate of these names                none; three of four starts while others wait
//   recalled  CA or operator want it replaced before its time  evenly over six hours
//   due       everything else                                  5/4 of the mean rate, at least one in 5 minutes
//
// Where so many fall due together that the pace would leave them behind (ahead.hpp), they begin before they are due, at
// that pace, and at a quarter of their life at the earliest; each should have had its turn half-way between due and
// end.
//
// The pace keeps what an outage or a day of many sign-ups heaped up from coming back as a heap; in the order of half
// their slack nobody is later than the outage was long. Within a lane owners take turns, and but for what people
// ordered none has more than two in flight. Nothing walks over all wishes: each step costs a logarithm of their number.
//
// Threads: a plain object.
#pragma once

#include "acme/messages/messages.hpp"
#include "acme/schedule/ahead.hpp"
#include "acme/schedule/failover.hpp"
#include "acme/schedule/limits.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace acme {

// The certificate that is there for the names of a wish.
struct Holding {
  Time not_before;
  Time not_after;
  Time due;                              // when its renewal shall begin
  bool recalled = false;                 // wanted replaced before its time
  std::optional<std::size_t> authority;  // place of the CA that issued it
  bool replaceable = false;              // an order there can say that it replaces it
  bool ordered = false;                  // by a person, who waits for it
};

struct Wish {
  std::int64_t id = 0;
  std::int64_t owner = 0;  // whose turn a start is
  std::string domain;      // registered domain
  std::string set;         // names, sorted, joined by blanks
  std::optional<Holding> holding;
};

struct PlannerSettings {
  std::size_t orders_max = 8;    // in flight
  std::size_t of_owner_max = 2;  // of them one owner's: what his names wait for (slow DNS) is no other owner's wait
  std::chrono::milliseconds first_retry{60000};
  double headroom = 1.25;  // of the pace of renewals over their mean rate
  std::chrono::milliseconds slowest_pace{300000};
  std::chrono::milliseconds recall_span{std::chrono::hours(6)};
  unsigned proofs_tried = 3;  // failed validations in a row at one CA, then the next one is asked
};

struct Start {
  std::int64_t id = 0;
  std::size_t authority = 0;
};
struct Plan {
  std::vector<Start> start;  // in flight from now on
  std::optional<Time> wake;  // when plan() may have more to start; nothing: only after another call
};

// Of the failures since the last success, at one CA or (without `authority`) at all of them.
struct Parked {
  std::optional<std::size_t> authority;
  unsigned failures = 0;
  Time until;
  bool moved_on = false;  // from a CA that saw no proof: what was parked everywhere is so no longer
};

struct Ending {
  protocol::FailureClass failure = protocol::FailureClass::none;
  std::optional<Time> not_before;  // the CA's own word
  // The CA keeps the order, and to go on with it counts against none of its limits; nothing: as it was.
  std::optional<bool> kept{};
  // Of a deferral: the look at the names got no answer. Whoever gives none is looked at less and less often.
  bool unseen = false;
};

// Why a wish does not start now: one line for each reason.
struct Hindrance {
  std::optional<std::size_t> authority;
  std::string what;  // "limit: domain", "resting", "parked after 3 failures", "not due", "pace", "no free place"
  Time until;        // the epoch: not known
};

class Planner {
 public:
  Planner(PlannerSettings settings, std::vector<LimitSettings> const& authorities);

  // New or changed. What was parked stays parked unless the names are others.
  void want(Wish wish, Time now);
  void drop(std::int64_t id);
  // Of an earlier process.
  void park(std::int64_t id, Parked parked, Time now);

  [[nodiscard]] Plan plan(Time now);
  // The CA placed an order for a start. What is gone on with, or was never answered, counts against no limit.
  void placed(std::int64_t id, std::size_t authority, Time now);
  // Of an earlier process: the CA keeps an order of these names.
  void keeps(std::int64_t id, std::size_t authority);
  // The order of a start ended; says what is parked because of it. After a success want() tells of the new certificate.
  std::optional<Parked> ended(std::int64_t id, std::size_t authority, Ending ending, Time now);
  // Forgets what it is parked for: it may start as soon as its turn comes.
  void retry(std::int64_t id, Time now);

  // No order starts at this CA until it is unblocked: a person must act, or its account's key is being changed.
  void block(std::size_t authority, bool blocked) { blocked_[authority] = blocked; }
  [[nodiscard]] bool is_blocked(std::size_t authority) const { return blocked_[authority]; }

  [[nodiscard]] std::vector<Hindrance> why(std::int64_t id, Time now) const;
  // Not before this moment; `now` when only its turn is missing.
  [[nodiscard]] Time next_attempt(std::int64_t id, Time now) const;
  [[nodiscard]] bool in_flight(std::int64_t id) const { return flying_.contains(id); }
  [[nodiscard]] std::size_t in_flight() const { return flying_.size(); }
  [[nodiscard]] std::size_t ready() const;  // wait for their turn
  [[nodiscard]] Breaker const& breaker(std::size_t authority) const { return breakers_[authority]; }
  [[nodiscard]] Limits& limits(std::size_t authority) { return limits_[authority]; }

 private:
  enum class Lane { ordered, urgent, fresh, recalled, due };
  struct Entry {
    Wish wish;
    std::map<std::size_t, Parked> parked;  // by authority; `everywhere` for all
    std::set<std::size_t> kept;            // CAs that keep an order of these names
    unsigned unseen = 0;                   // looks in a row without an answer
    Time ready;                            // its place in waiting_
    std::optional<Lane> lane;              // or in a lane, at
    std::int64_t turn = 0;
    Time key;
    std::optional<Lane> behind;  // or behind others of its owner, out of this lane
    double rate = 0;             // what it adds to rate_
    bool ahead = false;          // it is in ahead_, too
  };
  // Owners take turns: an owner's second wish comes after everybody's first.
  struct Queue {
    std::set<std::tuple<std::int64_t, Time, std::int64_t>> waiting;  // turn, key, id
    std::map<std::int64_t, std::int64_t> owners;                     // owner -> how many of its wishes wait here
    std::int64_t turn = 0;                                           // of the last start
    std::optional<Time> open_at;                                     // by the pace
    std::size_t most = 0;                                            // waiting at once since it was empty
  };
  struct Flight {
    Time began;
    std::size_t authority = 0;
    std::int64_t owner = 0;
    std::string set;
    std::optional<Asking> reserved;  // at the CA's limits
  };
  struct Owner {
    std::size_t flying = 0;
    std::set<std::tuple<Lane, Time, std::int64_t>> behind;  // key, id: while as many are in flight as may be
  };
  static constexpr std::size_t everywhere = static_cast<std::size_t>(-1);

  void place(Entry& entry, Time now);
  void unplace(Entry& entry);
  void enter(Entry& entry, Lane lane);
  void advance(Time now);
  void begin_ahead(Time now, std::optional<Time>& wake);
  void leave_ahead(Entry& entry);
  [[nodiscard]] Lane lane_of(Wish const& wish, Time now) const;
  [[nodiscard]] Time base_of(Entry const& entry) const;
  [[nodiscard]] bool moves_on(Entry const& entry, std::size_t authority) const;
  [[nodiscard]] std::optional<Time> rests(std::size_t authority, Time now) const;
  [[nodiscard]] Choice authority_for(Entry const& entry, Time now) const;
  [[nodiscard]] Asking asking(Wish const& wish, std::size_t authority) const;
  [[nodiscard]] std::optional<Limits::Hold> hold(Entry const& entry, std::size_t authority, Time now) const;
  [[nodiscard]] std::optional<Time> closed(Lane lane, Time now) const;
  [[nodiscard]] std::optional<Lane> next_lane(Time now, std::optional<Time>& wake);
  [[nodiscard]] std::optional<Time> pace_of(Lane lane, Time now) const;
  void postpone(Entry& entry, Time until, Time now);
  [[nodiscard]] bool is_full(std::int64_t owner) const;
  bool step_behind(Entry& entry, Lane lane);
  void call_up(std::int64_t owner, Time now);
  void take_off(Entry& entry, std::size_t authority, Time now);
  void land(Flight const& flight, Time now);
  void paced(Lane lane, Time now);
  [[nodiscard]] std::chrono::milliseconds interval(Lane lane) const;
  Queue& queue(Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
  [[nodiscard]] Queue const& queue(Lane lane) const { return lanes_[static_cast<std::size_t>(lane)]; }

  PlannerSettings settings_;
  std::vector<Breaker> breakers_;
  std::vector<Limits> limits_;
  std::vector<bool> blocked_;
  std::map<std::int64_t, Entry> entries_;
  std::set<std::pair<Time, std::int64_t>> waiting_;
  std::set<std::pair<Time, std::int64_t>> postponed_;        // those in waiting_ that a CA's limit or rest keeps there
  std::set<std::pair<Time, std::int64_t>> becoming_urgent_;  // those in the lanes recalled and due
  std::array<Queue, 5> lanes_;                               // urgent goes by the pace of due, which is kept there
  Ahead pressing_{std::chrono::minutes(15)};                 // of the lane urgent
  Ahead ahead_;                                              // of waiting_: those that only wait until they are due
  std::optional<Time> ahead_from_;  // when the first of them must begin, as it was at the last look
  Time look_ahead_{};               // when to look again
  std::map<std::int64_t, Flight> flying_;
  std::map<std::int64_t, Owner> owners_;  // with something in flight, or behind
  std::set<std::int64_t> moved_;          // owners who may have room for one that is behind
  std::size_t behind_ = 0;
  std::map<std::string, Time> held_;  // domain -> the last place that was promised there
  std::size_t sweep_held_above_ = 1024;
  double rate_ = 0;  // renewals a millisecond, in the mean
  unsigned fresh_in_a_row_ = 0;
};

}  // namespace acme
