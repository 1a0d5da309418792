// What a new world would change on each node, before anything happens.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/plan.hpp"

#include <string>
#include <vector>

namespace plan {

struct NodeDifference {
  enum class Kind { joins, leaves, changes };
  std::string node;
  Kind kind = Kind::changes;
  std::vector<std::string> lines;     // "wg-ams: add peer ...", "bird.conf: + cost 10;", one sentence each
  std::vector<std::string> warnings;  // "OSPF restarts here: ...": what is felt beyond the change itself
};

// Devices, addresses on lo, kernel settings, bird.conf and rules (where planned), and what of it interrupts traffic.
NodeDifference difference(NodePlan const& before, NodePlan const& after);

struct Difference {
  std::vector<NodeDifference> nodes;  // those that change, by name
  std::size_t unchanged = 0;
};

// Over all nodes of both worlds. A world without keys is compared as if its nodes had those of the other. Of a node
// that joins or leaves the lines are what it would have, or had.
Difference difference(World const& before, World const& after, PlanOptions const& options = {});

// For people: a line for each node that joins, leaves or changes, at most `most_lines` below it, and the counts.
std::string to_text(Difference const& difference, std::size_t most_lines);
// {"unchanged":N,"nodes":[{"node":"ams-1","kind":"changes","lines":[...],"warnings":[...]}]}
std::string to_json(Difference const& difference);

}  // namespace plan
