#include "mesh/agent/belief/changes_of_worlds.hpp"

#include "mesh/enrolment/token.hpp"

#include <algorithm>
#include <utility>

namespace agent {

std::string mark_of(plan::NodePlan plan) {
  plan.revision = 0;
  plan.waiting.clear();
  plan.warnings.clear();
  auto text = plan::to_json(plan) + plan.rules;
  for (auto const& device : plan.with_next_key) {
    text += "\n" + device;
  }
  return enrolment::sha256_hex(text);
}

base::Result<Prepared> prepare(plan::WorldDocument const& document, std::string const& from, std::string const& node,
                               bool rules) {
  // Loading the topology is what takes its time (half a second for 10,000 nodes): once, and the costs come after it.
  auto bare = document;
  bare.costs.clear();
  auto built = plan::build_world(bare, from);
  if (!built) {
    return built.error();
  }
  plan::PlanOptions options;
  options.rules = rules;
  auto const own_plan = plan::plan_node(*built, node, options);
  if (!own_plan) {
    return own_plan.error();
  }
  plan::take_costs(*built, document.costs);
  Prepared out;
  out.mark = mark_of(*own_plan);
  for (auto const& [device, router] : own_plan->neighbors) {
    out.neighbors.insert(router);
  }
  out.world = std::make_shared<plan::World const>(std::move(*built));
  return out;
}

std::set<std::string> routers_gone(plan::World const& before, plan::WorldDocument const& after) {
  std::set<std::string> out;
  for (auto const& node : before.topology.nodes) {
    if (before.keys.contains(node.name) && !after.nodes.contains(node.name)) {
      out.insert(topology::loopback4(before.topology, before.allocation, node.name).to_string());
    }
  }
  return out;
}

bool takes_a_key_away(plan::WorldDocument const& before, plan::WorldDocument const& after) {
  return std::any_of(before.nodes.begin(), before.nodes.end(), [&](auto const& entry) {
    auto const now = after.nodes.find(entry.first);
    return now == after.nodes.end() || now->second != entry.second;
  });
}

void change_key_in(plan::WorldDocument& before, plan::WorldDocument const& after, std::string const& node) {
  auto const key = after.nodes.find(node);
  auto const generation = after.generations.find(node);
  if (key == after.nodes.end()) {
    return;
  }
  before.nodes[node] = key->second;
  before.next_keys.erase(node);
  before.rotate.erase(node);
  if (generation != after.generations.end()) {
    before.generations[node] = generation->second;
  }
}

bool operator_changed(plan::WorldDocument const& before, plan::WorldDocument const& after) {
  return before.topology != after.topology || before.draining != after.draining;
}

}  // namespace agent
