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
  constexpr std::chrono::seconds ticks{3};  // BIRD's own, and a look of ours
  auto const latest = std::max(now + trial_time, chain_since + longest_trial);
  out.from = std::min(now + dead_time + ticks, latest);
  out.until = std::max(now + trial_time, out.from);
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

Verdict judge(Trial const& trial, std::set<std::string> const& reached_now, Moment now) {
  bool const all =
      std::includes(reached_now.begin(), reached_now.end(), trial.neighbors.begin(), trial.neighbors.end());
  if (now < trial.from) {
    return Verdict::waiting;
  }
  if (all && !alone(trial, reached_now) && (!trial.controller || trial.controller_seen)) {
    return Verdict::passed;
  }
  return now >= trial.until ? Verdict::failed : Verdict::waiting;
}

std::string missing(Trial const& trial, std::set<std::string> const& reached_now) {
  std::string out = trial.controller && !trial.controller_seen ? "the controller" : "";
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
