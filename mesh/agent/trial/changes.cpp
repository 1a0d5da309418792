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
  return out.empty() && of.unapplied ? "a working plan: it could not be applied here" : out;
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
  trial_->number = ++trials_;
  first_try_.reset();
  if (!taken_back_) {
    TakenBack first;
    first.offer = in_use_;
    first.missing = trial_->left.empty() ? trial_->neighbors : trial_->left;
    first.since = at.now;
    first.next = at.now + until_slot(at.wall_s, first_pause);
    first_try_ = std::move(first);
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

void Changes::applied(Moment now) {
  if (trial_) {
    apply(*trial_, now);
  }
}

bool Changes::asks_controller(Seen const& seen, Moment now) const {
  return trial_ && agent::asks_controller(*trial_, seen.neighbors, now);
}

void Changes::controller_asked(bool answered) {
  if (trial_) {
    trial_->controller_seen = answered;
  }
}

// A controller that is as silent without what was taken back proves nothing by its silence: the pause goes on to the
// next whole minute.
void Changes::listen(Seen const& seen, Instant at) {
  if (!taken_back_ || trial_) {
    return;
  }
  auto& back = *taken_back_;
  back.heard = back.heard || (seen.controller && seen.answered > back.since);
  if (back.missing_controller && !back.heard && at.now >= back.next && at.now - back.since < longest_pause) {
    back.next = at.now + until_slot(at.wall_s, first_pause);
  }
}

bool Changes::due(Seen const& seen, Moment now) const {
  if (now >= taken_back_->next) {
    return true;
  }
  if (taken_back_->missing_controller || taken_back_->unapplied) {
    return false;  // the next try needs the answer, and this machine
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
  listen(seen, at);
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
  out.unapplied = !trial_->applied;
  out.missing_controller = trial_->applied && trial_->controller && !trial_->controller_seen;
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
