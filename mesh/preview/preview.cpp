#include "mesh/preview/preview.hpp"

#include "mesh/plan/lines/lines.hpp"
#include "mesh/reconcile/reconciler.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace preview {
namespace {

namespace json = boost::json;

void devices(plan::NodePlan const& plan, Machine const& machine, Preview& out) {
  auto const owner = reconcile::owner_of(plan);
  for (auto const& name : wireguard::conflicts(plan.devices, machine.devices, owner)) {
    out.conflicts.push_back(name + ": exists and is not ours");
  }
  auto const judged = reconcile::without_inner_sessions(machine.devices, plan.mesh_prefixes);
  for (auto const& change : wireguard::diff(plan.devices, judged, owner, machine.now_s)) {
    if (!change.removes()) {
      out.changes.push_back(change.text());
    }
  }
}

// Those that nobody wants any more go last, once the others are Full.
void departures(plan::NodePlan const& plan, Machine const& machine, Preview& out) {
  for (auto const& change : wireguard::diff(plan.devices, machine.devices, reconcile::owner_of(plan), machine.now_s)) {
    if (change.removes()) {
      out.changes.push_back(change.text() + ", once every other link is Full");
    }
  }
}

void settings(plan::NodePlan const& plan, Machine const& machine, Preview& out) {
  for (auto const& wanted : plan.sysctls) {
    auto const found = machine.sysctls.find(wanted.path);
    bool const of_new_device =
        found == machine.sysctls.end() &&
        std::any_of(plan.devices.begin(), plan.devices.end(), [&](wireguard::Device const& device) {
          bool const is_there = std::any_of(machine.devices.begin(), machine.devices.end(),
                                            [&](auto const& one) { return one.name == device.name; });
          return !is_there && wanted.path.find("/" + device.name + "/") != std::string::npos;
        });
    if (found == machine.sysctls.end() && !of_new_device) {
      if (wanted.required) {
        out.conflicts.push_back("the kernel has no setting " + wanted.path);
      }
    } else if (of_new_device || found->second != wanted.value) {
      out.changes.push_back("set " + wanted.path + " to " + wanted.value +
                            (of_new_device ? "" : " (now " + found->second + ")"));
    }
  }
}

void loopback(plan::NodePlan const& plan, Machine const& machine, Preview& out) {
  if (!machine.loopback_up) {
    out.changes.emplace_back("lo: set up");
  }
  auto const changes = reconcile::loopback_changes(plan.loopback, machine.loopback, machine.owned);
  for (auto const& address : changes.add) {
    out.changes.push_back("lo: add address " + address.text());
  }
  for (auto const& address : changes.remove) {
    out.changes.push_back("lo: remove address " + address.text());
  }
}

void rules(plan::NodePlan const& plan, Machine const& machine, Preview& out) {
  if (!machine.rules || *machine.rules == guard::Rules::Found::right) {
    return;
  }
  std::string const table = std::string("rules: table inet ") + guard::Rules::table;
  if (*machine.rules == guard::Rules::Found::absent) {
    out.changes.push_back(table + " written, which is not there");
  } else if (*machine.rules == guard::Rules::Found::damaged) {
    out.changes.push_back(table + " written anew: somebody changed it");
  } else {
    auto const before = out.changes.size();
    plan::compare_lines("rules", machine.rules_in_use, plan.rules, out.changes);
    if (out.changes.size() == before) {
      out.changes.push_back(table + " written");
    }
  }
}

void routing(plan::NodePlan const& plan, Machine const& machine, Preview& out) {
  auto const before = out.changes.size();
  plan::compare_lines("bird.conf", machine.bird.value_or(std::string()), plan.bird, out.changes);
  if (!machine.bird_runs) {
    out.changes.emplace_back("bird: does not run; it starts with this configuration");
  } else if (out.changes.size() != before) {
    out.changes.push_back("bird: takes the configuration of revision " + std::to_string(plan.revision));
  }
  for (auto const& route : machine.strays) {
    out.changes.push_back("route to " + route + " removed: it is not BIRD's");
  }
}

}  // namespace

Preview preview(plan::NodePlan const& plan, Machine const& machine) {
  Preview out;
  out.blind = machine.blind;
  out.waiting = plan.waiting;
  for (auto const& name : machine.renamed) {
    out.changes.push_back(name + ": gets its name back");
  }
  devices(plan, machine, out);
  settings(plan, machine, out);
  loopback(plan, machine, out);
  rules(plan, machine, out);
  routing(plan, machine, out);
  departures(plan, machine, out);
  return out;
}

std::string to_text(Preview const& preview) {
  std::string out;
  for (auto const& sentence : preview.blind) {
    out += "not seen: " + sentence + "\n";
  }
  for (auto const& sentence : preview.conflicts) {
    out += "in the way: " + sentence + "\n";
  }
  for (auto const& link : preview.waiting) {
    out += "waiting: " + link + " (the other node has not joined)\n";
  }
  for (auto const& change : preview.changes) {
    out += change + "\n";
  }
  auto const count = preview.changes.size();
  return out + (count == 0 ? "no change\n" : std::to_string(count) + (count == 1 ? " change\n" : " changes\n"));
}

std::string to_json(plan::NodePlan const& plan, Preview const& preview) {
  return json::serialize(json::object{{"node", plan.node},
                                      {"revision", plan.revision},
                                      {"changes", json::value_from(preview.changes)},
                                      {"conflicts", json::value_from(preview.conflicts)},
                                      {"waiting", json::value_from(preview.waiting)},
                                      {"blind", json::value_from(preview.blind)}});
}

}  // namespace preview
