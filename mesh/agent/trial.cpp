#include "mesh/agent/trial.hpp"

#include <algorithm>
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

bool only_costs(plan::WorldDocument const& before, plan::WorldDocument after) {
  after.costs = before.costs;
  after.revision = before.revision;
  after.issued_at_s = before.issued_at_s;
  return after == before;
}

Trial begin_trial(plan::NodePlan const& plan, std::set<std::string> const& reached_before, bool controller,
                  std::chrono::seconds dead_time, Moment now) {
  Trial out;
  out.revision = plan.revision;
  out.controller = controller;
  constexpr std::chrono::seconds ticks{3};  // BIRD's own, and a look of ours
  out.from = now + dead_time + ticks;
  out.until = std::max(now + trial_time, out.from);
  for (auto const& [device, router] : plan.neighbors) {
    if (reached_before.contains(router)) {
      out.neighbors.insert(router);
    }
  }
  return out;
}

Verdict judge(Trial const& trial, std::set<std::string> const& reached_now, Moment now) {
  bool const all =
      std::includes(reached_now.begin(), reached_now.end(), trial.neighbors.begin(), trial.neighbors.end());
  if (now < trial.from) {
    return Verdict::waiting;
  }
  if (all && (!trial.controller || trial.controller_seen)) {
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
  return out;
}

}  // namespace agent
