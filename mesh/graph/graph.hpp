// A picture of the mesh: the nodes and links that are wanted, and how they fare according to the link-state databases.
//
//   graph::to_svg(graph::picture(world, observed))    or to_dot(...) for Graphviz
//
// The databases are those of any one node's BIRD: link-state routing knows the whole of the areas that the node is in.
// What lies in others is `unknown` from there.
//
// Threads: pure functions.
#pragma once

#include "mesh/plan/world.hpp"
#include "routing/bird/state.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace graph {

enum class LinkState {
  full,     // both ends announce it, in both families
  partial,  // one end only, or one family only
  down,     // wanted, and announced by nobody
  absent,   // an end has not joined yet
  unknown,  // of an area that the node that was asked is not in
};
[[nodiscard]] char const* name(LinkState state);

struct Node {
  std::string name;
  std::string site;
  std::string role;  // "central", "regional", "edge"
  bool joined = false;
  bool reachable = false;  // in the database, from the node that was asked
  bool known = true;       // false: in none of that node's areas, so that `reachable` says nothing
};

struct Link {
  std::string a;
  std::string b;
  LinkState state = LinkState::down;
  std::uint32_t cost_a = 0;  // as each end announces it now; 0: it does not
  std::uint32_t cost_b = 0;
  std::optional<std::chrono::microseconds> rtt;  // where it was measured
};

struct Picture {
  std::string title;
  std::vector<Node> nodes;  // by site, then name
  std::vector<Link> links;  // by ends
};

struct Observed {
  bird::OspfState v4;
  bird::OspfState v6;
  std::map<std::string, std::chrono::microseconds> rtt;  // by the link's name
  std::string node = {};                                 // that was asked; empty: one that is in every area
};

[[nodiscard]] Picture picture(plan::World const& world, Observed const& observed);

// Graphviz: sites are clusters, links have colour, cost and round-trip time.
[[nodiscard]] std::string to_dot(Picture const& picture);
// The same as a file that any browser shows: sites around a circle, the nodes of a site around its place.
[[nodiscard]] std::string to_svg(Picture const& picture);
// {"nodes":[{name, site, role, joined, reachable (null: unknown)}],"links":[{a, b, state, cost_a, cost_b, rtt_us}]}
[[nodiscard]] std::string to_json(Picture const& picture);

}  // namespace graph
