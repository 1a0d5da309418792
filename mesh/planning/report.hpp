// What `privateer plan` says: each node's plan or what would change on it, and how sound the mesh is.
//
// Threads: pure functions.
#pragma once

#include "mesh/planning/worlds.hpp"
#include "topology/proof/weaknesses.hpp"
#include "topology/verify/verify.hpp"

#include <string>
#include <vector>

namespace planning {

// Every single point of failure with the link that mends it, how much loop-free alternates cover, and what repair links
// bring or would; a line each. Repair links mend no weakness: they are chosen, not declared.
std::string soundness_text(topology::Topology const& topology);
// The reasons alone, and links that together would mend all that links can.
std::string weaknesses_text(topology::Topology const& topology, std::vector<proof::Weakness> const& found);

struct ReportOptions {
  std::string node;    // empty: all
  bool whole = false;  // every node's plan, also when the world that runs is known
};

// The difference against what runs, node by node, or, when nothing is known of that, the plans; then the soundness.
// Plans are made as if everybody had joined; who has not is named. errc::unknown_node of plan.
base::Result<std::string> plan_text(Worlds const& worlds, ReportOptions const& options);
// {"revision":N,"nodes":[the
// plans],"difference":{...}|null,"not_joined":[names],"weaknesses":[...],"passing":[...],"coverage":{...}}
base::Result<std::string> plan_json(Worlds const& worlds, ReportOptions const& options);

// The graph that a certificate of this topology has to be about, for the checker. Made without the prover.
verify::Subject subject_of(topology::Topology const& topology);

}  // namespace planning
