#include "mesh/agent/trial/trial.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace agent {

std::set<std::string> reached(std::vector<bird::Neighbor> const& neighbors) {
  std::map<std::string, std::set<std::string>> families;
  for (auto const& neighbor : neighbors) {
    if (neighbor.full()) {
      families[neighbor.router_id].insert(neighbor.protocol);
    }
  }
  std::set<std::string> out;
  for (auto const& [router, protocols] : families) {
    if (protocols.size() >= 2) {
      out.insert(router);
    }
  }
  return out;
}

Trial begin_trial(std::int64_t revision, std::set<std::string> const& planned,
                  std::set<std::string> const& reached_before, bool controller, std::chrono::seconds dead_time,
                  Moment now, Moment chain_since) {
  Trial out;
  out.revision = revision;
  out.controller = controller;
  out.dead_time = dead_time;
  out.latest = std::max(now + trial_time, chain_since + longest_trial);
  out.until = now + trial_time;
  std::set_intersection(planned.begin(), planned.end(), reached_before.begin(), reached_before.end(),
                        std::inserter(out.neighbors, out.neighbors.end()));
  if (out.neighbors.empty() && !reached_before.empty()) {
    out.left = reached_before;
    out.instead = planned;
  }
  return out;
}

bool alone(Trial const& trial, std::set<std::string> const& reached_now) {
  return !trial.left.empty() && std::none_of(trial.instead.begin(), trial.instead.end(),
                                             [&](auto const& router) { return reached_now.contains(router); });
}

void apply(Trial& trial, Moment now) {
  constexpr std::chrono::seconds ticks{3};  // BIRD's own, and a look of ours
  if (trial.applied || now >= trial.until) {
    return;
  }
  trial.applied = now;
  trial.from = std::min(now + trial.dead_time + ticks, trial.latest);
  trial.until = std::min(std::max(now + trial_time, trial.from), trial.latest);
}

namespace {

bool neighbors_seen(Trial const& trial, std::set<std::string> const& reached_now) {
  bool const all =
      std::includes(reached_now.begin(), reached_now.end(), trial.neighbors.begin(), trial.neighbors.end());
  return all && !alone(trial, reached_now);
}

}  // namespace

bool asks_controller(Trial const& trial, std::set<std::string> const& reached_now, Moment now) {
  return trial.controller && trial.applied && now >= trial.from &&
         (neighbors_seen(trial, reached_now) || now >= trial.until);
}

Verdict judge(Trial const& trial, std::set<std::string> const& reached_now, Moment now) {
  bool const may_be_held = trial.applied && now >= trial.from;
  if (may_be_held && neighbors_seen(trial, reached_now) && (!trial.controller || trial.controller_seen)) {
    return Verdict::passed;
  }
  return now >= trial.until ? Verdict::failed : Verdict::waiting;
}

std::string missing(Trial const& trial, std::set<std::string> const& reached_now) {
  bool const asked = trial.applied && trial.controller;
  std::string out = asked && !trial.controller_seen ? "the controller" : "";
  for (auto const& router : trial.neighbors) {
    if (!reached_now.contains(router)) {
      out += (out.empty() ? "" : ", ") + router;
    }
  }
  if (alone(trial, reached_now)) {
    out += out.empty() ? "any neighbour" : ", any neighbour";
    for (auto const& router : trial.instead) {
      out += (router == *trial.instead.begin() ? ": not " : ", ") + router;
    }
    for (auto const& router : trial.left) {
      out += (router == *trial.left.begin() ? " in the place of " : ", ") + router;
    }
  }
  return out;
}

}  // namespace agent
