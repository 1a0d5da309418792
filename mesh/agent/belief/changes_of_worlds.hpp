// What of one node is another by a newer world, and who made it so.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/plan.hpp"
#include "mesh/plan/world.hpp"

#include <memory>
#include <set>
#include <string>

namespace agent {

// Equal when this node is the same by both plans, whatever happened elsewhere. They are plans without measured costs:
// BIRD takes those without touching an adjacency, and what the controller does by itself every now and then is nothing
// to go back from.
std::string mark_of(plan::NodePlan plan);

// What a node is by a document; `from` says in messages where that came from.
struct Prepared {
  std::shared_ptr<plan::World const> world;
  std::string mark;
  std::set<std::string> neighbors;  // router ids
};
base::Result<Prepared> prepare(plan::WorldDocument const& document, std::string const& from, std::string const& node,
                               bool rules);

// Router ids of the nodes that were members and are none any more.
std::set<std::string> routers_gone(plan::World const& before, plan::WorldDocument const& after);
bool takes_a_key_away(plan::WorldDocument const& before, plan::WorldDocument const& after);

// What was in use before, with the key that `after` has for the node and as that counts it: all that a change of key
// changes, if nothing else came with it.
void change_key_in(plan::WorldDocument& before, plan::WorldDocument const& after, std::string const& node);

// Costs, keys and what nodes report make newer worlds all the time; these are changed by people alone.
bool operator_changed(plan::WorldDocument const& before, plan::WorldDocument const& after);

}  // namespace agent
