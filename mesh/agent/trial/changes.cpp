#include "mesh/agent/trial/changes.hpp"

#include "base/result/result.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace agent {

std::chrono::seconds until_slot(std::int64_t wall_s, std::chrono::seconds interval) {
  constexpr std::chrono::seconds least{5};
  auto const wait = interval - std::chrono::seconds(wall_s % interval.count());
  return wait < least ? wait + interval : wait;
}

std::string missing(TakenBack const& of) {
  std::string out = of.missing_controller ? "the controller" : "";
  for (auto const& router : of.missing) {
    out += (out.empty() ? "" : ", ") + router;
  }
  return out;
}

void Changes::use(Offer offer) {
  end_trial();
  waiting_.reset();
  taken_back_.reset();
  in_use_ = std::move(offer);
}

Changes::Taken Changes::offer(Offer offer, Seen const& seen, Instant at) {
  if (offer.mark == in_use_.mark) {
    if (trial_) {
      trial_->revision = offer.revision;
      if (first_try_) {
        first_try_->offer = offer;
      }
    } else {
      taken_back_.reset();  // the world says again what runs here
      remembered_.reset();
    }
    waiting_.reset();
    in_use_ = std::move(offer);
    return Taken::at_once;
  }
  if (trial_ && !offer.urgent && at.now - chain_since_ >= longest_chain) {
    waiting_ = std::move(offer);
    return Taken::later;
  }
  waiting_.reset();
  if (trial_ && offer.mark == good_->mark) {
    use(std::move(offer));
    return Taken::at_once;
  }
  if (!trial_ && !offer.urgent && !taken_back_ && remembered_ && offer.mark == remembered_->offer.mark) {
    // A newer one may have been changed by an operator while this process was not there.
    offer.by_operator = offer.by_operator || offer.revision != remembered_->offer.revision;
    taken_back_ = std::exchange(remembered_, std::nullopt);
  }
  if (!trial_ && !offer.urgent && taken_back_ && offer.mark == taken_back_->offer.mark) {
    if (offer.by_operator) {
      taken_back_->next = std::min(taken_back_->next, at.now + until_slot(at.wall_s, first_pause));
    }
    taken_back_->offer = std::move(offer);
    return Taken::later;
  }
  begin(std::move(offer), seen, at);
  return Taken::on_trial;
}

void Changes::begin(Offer offer, Seen const& seen, Instant at) {
  if (!trial_) {
    good_ = in_use_;
    chain_since_ = at.now;
    known_ = {};
  }
  // What an earlier world of the same chain cost is still missed.
  known_.neighbors.insert(seen.neighbors.begin(), seen.neighbors.end());
  std::erase_if(known_.neighbors, [&](std::string const& router) { return offer.gone.contains(router); });
  known_.controller = known_.controller || seen.controller;
  if (taken_back_ && taken_back_->offer.mark != offer.mark) {
    taken_back_.reset();
  }
  remembered_.reset();
  // What cut the controller off holds only when that answers, whether or not it was back before this try.
  known_.controller = known_.controller || (taken_back_ && taken_back_->missing_controller);
  in_use_ = std::move(offer);
  trial_ = begin_trial(in_use_.revision, in_use_.neighbors, known_.neighbors, known_.controller, in_use_.dead_time,
                       at.now, chain_since_);
  first_try_.reset();
  if (!taken_back_) {
    first_try_ = TakenBack{in_use_, trial_->left.empty() ? trial_->neighbors : trial_->left,
                           false,   1,
                           at.now,  at.now + until_slot(at.wall_s, first_pause)};
  }
}

void Changes::end_trial() {
  trial_.reset();
  first_try_.reset();
  good_.reset();
  known_ = {};
}

void Changes::strike(Offer const& offer) {
  auto const gone = [&](std::string const& router) {
    return in_use_.neighbors.contains(router) && !offer.neighbors.contains(router);
  };
  std::erase_if(known_.neighbors, gone);
  if (trial_) {
    std::erase_if(trial_->neighbors, gone);
    std::erase_if(trial_->instead, gone);
  }
  in_use_.mark = offer.mark;
  in_use_.neighbors = offer.neighbors;
  if (first_try_) {
    first_try_->offer = in_use_;
  }
}

void Changes::controller_seen() {
  if (trial_) {
    trial_->controller_seen = true;
  }
}

bool Changes::due(Seen const& seen, Moment now) const {
  if (now >= taken_back_->next) {
    return true;
  }
  if (taken_back_->missing_controller) {
    return false;  // the next try needs its answer: while it is away, each would fail
  }
  // Whoever is still missing after it was taken back is missing for another reason.
  bool const back = std::any_of(taken_back_->missing.begin(), taken_back_->missing.end(),
                                [&](std::string const& router) { return seen.neighbors.contains(router); });
  return !back && now - taken_back_->since >= trial_time;
}

Changes::Step Changes::step(Seen const& seen, Instant at) {
  if (trial_) {
    switch (judge(*trial_, seen.neighbors, at.now)) {
      case Verdict::waiting:
        return Step::none;
      case Verdict::failed:
        return Step::failed;
      case Verdict::passed:
        end_trial();
        taken_back_.reset();
        return Step::held;
    }
  }
  before_step_ = in_use_;
  if (waiting_) {
    auto next = *std::exchange(waiting_, std::nullopt);
    return offer(std::move(next), seen, at) == Taken::later ? Step::none : Step::other;
  }
  if (taken_back_ && due(seen, at.now)) {
    begin(taken_back_->offer, seen, at);
    return Step::other;
  }
  return Step::none;
}

void Changes::go_back(Seen const& seen, Instant at) {
  ASSERT(trial_ && good_);
  bool const again = taken_back_ && taken_back_->offer.mark == in_use_.mark;
  TakenBack out;
  out.tries = again ? taken_back_->tries + 1 : 1;
  out.offer = std::move(in_use_);
  std::set_difference(trial_->neighbors.begin(), trial_->neighbors.end(), seen.neighbors.begin(), seen.neighbors.end(),
                      std::inserter(out.missing, out.missing.end()));
  if (alone(*trial_, seen.neighbors)) {
    out.missing = trial_->left;  // they are reached again where it goes back to
  }
  out.missing_controller = trial_->controller && !trial_->controller_seen;
  out.since = at.now;
  out.next = at.now + until_slot(at.wall_s, first_pause * (1U << std::min(out.tries - 1, most_doublings)));
  in_use_ = *good_;
  taken_back_ = std::move(out);
  end_trial();
}

void Changes::abandon() {
  if (taken_back_ && taken_back_->offer.revision == in_use_.revision) {
    taken_back_.reset();
  }
  end_trial();
  in_use_ = before_step_;
}

void Changes::stay() {
  end_trial();
  taken_back_.reset();
}

bool Changes::needs(std::int64_t revision) const {
  return revision == in_use() || revision == good() || revision == waiting() ||
         (taken_back_ && revision == taken_back_->offer.revision);
}

}  // namespace agent
