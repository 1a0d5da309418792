// Which of the worlds that came a node uses, and which it goes back to. Pure: time is told, and worlds are known here
// by their revision and by a mark of what they make of this node (its devices, addresses, settings, rules and
// bird.conf).
//
//                     .---- same mark as what runs: taken at once, no trial begins, one that runs goes on
//   a newer world ----+---- the mark to go back to: taken at once, the trial is over
//                     '---- any other: on trial; supersedes one on trial, but goes back to where that would have
//
//   trial --neighbours and controller seen--> held --> what to go back to the next time
//         '--not seen in time--> taken back --a newer world, or after a time--> on trial again
//
// - A node goes back to what ran before the first change that was not yet held, never to one that only came meanwhile.
// - Revisions that come quickly do not keep a trial from ending: when trials have followed each other for
//   `longest_chain`, the newest world waits until the one on trial is judged. One that takes a key away (`urgent`)
//   never waits.
// - What was taken back is tried again: at once when it is seen not to have been the cause, else after a minute, two,
//   four, up to 64. Tries begin at multiples of that by the wall clock, so that both ends of a link, whose change only
//   works at both, try together. A newer world with the same mark takes its place, and is tried at the next whole
//   minute when an operator's change came with it. What cut the controller off must be seen to reach it each time, and
//   is not tried while the controller is silent without it too, but for one try after the longest pause: it may be that
//   it is reached by the newer world alone.
// - What was taken back is remembered over a restart (remembered.hpp): it is not tried at once because the process is
// new.
//
// Threads: plain values; one owner.
#pragma once

#include "mesh/agent/trial/trial.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace agent {

struct Offer {
  std::int64_t revision = -1;
  std::string mark;                   // equal marks: this node is the same by both worlds
  std::set<std::string> neighbors;    // router ids that it has by this world
  std::chrono::seconds dead_time{4};  // of its OSPF
  bool urgent = false;
  bool by_operator = false;         // an operator changed something since the world that was taken back
  std::set<std::string> gone = {};  // router ids of who was a member by the world before and is none by this
};

// What is reached at this moment.
struct Seen {
  std::set<std::string> neighbors;  // router ids, both families
  bool controller = false;
  Moment answered{};  // when the controller did last
};

struct Instant {
  Moment now{};
  std::int64_t wall_s = 0;
};

struct TakenBack {
  Offer offer;
  std::set<std::string> missing;    // neighbours that were lost on trial
  bool missing_controller = false;  // was lost on trial
  bool unapplied = false;           // this machine could not be changed so
  unsigned tries = 1;               // that failed
  Moment since{};
  Moment next{};       // when it is tried again at the latest
  bool heard = false;  // the controller answered since
};

class Changes {
 public:
  static constexpr std::chrono::seconds longest_chain{60};
  static constexpr std::chrono::seconds first_pause{60};
  static constexpr unsigned most_doublings = 6;
  static constexpr std::chrono::seconds longest_pause = first_pause * (1U << most_doublings);

  // Without a trial: the first one, or when there is no way back from it.
  void use(Offer offer);

  enum class Taken { at_once, on_trial, later };
  // A world newer than what is in use; later: in_use() stays, and step() will say when it changes.
  Taken offer(Offer offer, Seen const& seen, Instant at);

  // What is in use goes on without keys that were removed: as it is by this offer, and a trial of it goes on.
  void strike(Offer const& offer);

  // What is in use is what this machine is like now, without a failure that it did not have before.
  void applied(Moment now);
  // Whether the controller is to be asked before step(), and what came of it.
  [[nodiscard]] bool asks_controller(Seen const& seen, Moment now) const;
  void controller_asked(bool answered);

  enum class Step {
    none,
    held,    // the trial is over, what is in use stays
    failed,  // call go_back() or stay()
    other,   // in_use() is another world now; call abandon() if it turns out to be of no use
  };
  Step step(Seen const& seen, Instant at);
  // After `other`: what was in use before it stays, and what step() gave is not tried again.
  void abandon();
  // After `failed`.
  void go_back(Seen const& seen, Instant at);
  void stay();

  // What a process before this one took back. It counts from the moment that it is offered again.
  void remember(TakenBack before) { remembered_ = std::move(before); }

  [[nodiscard]] std::int64_t in_use() const { return in_use_.revision; }
  [[nodiscard]] std::optional<Trial> const& trial() const { return trial_; }
  [[nodiscard]] std::optional<TakenBack> const& taken_back() const { return taken_back_; }
  // What the next process has to know: also what is tried for the first time, because an agent that ends meanwhile has
  // not seen it hold.
  [[nodiscard]] std::optional<TakenBack> const& to_remember() const {
    return taken_back_ ? taken_back_ : first_try_ ? first_try_ : remembered_;
  }
  [[nodiscard]] std::int64_t good() const { return good_ ? good_->revision : -1; }  // where a trial goes back to
  [[nodiscard]] std::int64_t waiting() const { return waiting_ ? waiting_->revision : -1; }
  // Whether a world of this revision may still be asked for.
  [[nodiscard]] bool needs(std::int64_t revision) const;

 private:
  void begin(Offer offer, Seen const& seen, Instant at);
  void end_trial();
  void listen(Seen const& seen, Instant at);
  [[nodiscard]] bool due(Seen const& seen, Moment now) const;

  Offer in_use_;
  std::optional<Offer> good_;  // while a trial runs
  std::optional<Trial> trial_;
  std::optional<TakenBack> first_try_;  // while a trial of it runs: as it is to be remembered if nobody judges that
  std::optional<Offer> waiting_;
  std::optional<TakenBack> taken_back_;
  std::optional<TakenBack> remembered_;  // until a world is offered that is it, or another that changes this node
  Offer before_step_;                    // in use when step() gave `other`
  Moment chain_since_{};
  std::uint64_t trials_ = 0;
  Seen known_;  // reached at any time since then
};

// "the controller, 10.200.0.3": what was lost by it.
std::string missing(TakenBack const& of);

// How long until the wall clock is a multiple of `interval`; at least five seconds.
std::chrono::seconds until_slot(std::int64_t wall_s, std::chrono::seconds interval);

}  // namespace agent
