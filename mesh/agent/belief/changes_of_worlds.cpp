#include "mesh/agent/belief/changes_of_worlds.hpp"

#include "mesh/enrolment/token.hpp"

#include <algorithm>
#include <utility>

namespace agent {

base::Result<std::string> mark_of(plan::WorldDocument document, plan::NodePlan plan, plan::PlanOptions const& options,
                                  std::string const& node) {
  if (!document.costs.empty()) {
    document.costs.clear();
    auto const bare = plan::build_world(document, "the world without costs");
    if (!bare) {
      return bare.error();
    }
    auto planned = plan::plan_node(*bare, node, options);
    if (!planned) {
      return planned.error();
    }
    plan = std::move(*planned);
  }
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
  auto built = plan::build_world(document, from);
  if (!built) {
    return built.error();
  }
  plan::PlanOptions options;
  options.rules = rules;
  auto const own_plan = plan::plan_node(*built, node, options);
  if (!own_plan) {
    return own_plan.error();
  }
  auto mark = mark_of(document, *own_plan, options, node);
  if (!mark) {
    return mark.error();
  }
  Prepared out;
  out.mark = std::move(*mark);
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
