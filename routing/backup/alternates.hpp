// Loop-free alternates (RFC 5286): for every destination, the neighbour that can take the traffic at once when the link
// to the primary next hop is lost, without knowing of the loss.
//
// With D(x, y) the cost of the cheapest path before the failure, S this node, E the primary next hop, N another
// neighbour and P the destination:
//   loop-free         D(N, P) < D(N, S) + D(S, P)   inequality 1: N's way does not lead back through S
//   downstream        D(N, P) < D(S, P)             inequality 2: nearer than S, safe even when several alternates meet
//   node-protecting   D(N, P) < D(N, E) + D(E, P)   inequality 3: N's way does not lead through E either
// All links are point-to-point, so a loop-free neighbour over another link protects the link (4.1 needs no inequality
// 4). Another primary next hop of equal cost is always loop-free.
//
// A destination may have several originators, each with an outer cost: an anycast address exported with metric type 1.
// D(x, P) then is the least of D(x, o) + outer cost (6.1). An originator delivers by itself whatever others offer; with
// different outer costs the inequalities do not see that on the way, and may then call a gap what is none, never the
// reverse.
//
// Threads: pure functions; `Distances` is an immutable value.
#pragma once

#include "topology/graph.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace backup {

struct Destination {
  std::string name;
  std::map<std::string, std::uint32_t> originators;  // node -> outer cost
};

// Every platform node by its name, and every service as "service:NAME" with outer cost 0 at each of its nodes.
std::vector<Destination> destinations(topology::Topology const& topology);

struct Alternate {
  std::string neighbor;
  std::uint32_t cost = 0;  // over it, from this node to the destination
  bool node_protecting = false;
  bool downstream = false;
  bool equal_cost = false;  // it is a primary next hop itself
};

// One primary next hop of one destination, and what takes over when the link to it is lost.
struct Protection {
  std::string destination;
  std::string primary;  // neighbour
  std::uint32_t cost = 0;
  std::optional<Alternate> alternate;  // empty: a gap; wait for OSPF
};

// The costs of all cheapest paths, computed once for all nodes: N runs of Dijkstra and N * N numbers of 4 bytes.
class Distances {
 public:
  explicit Distances(topology::Graph graph);
  // Only what `protections` of that one node asks for: its own costs and those of its neighbours. A run of Dijkstra
  // each.
  Distances(topology::Graph graph, std::string const& node);

  [[nodiscard]] topology::Graph const& graph() const { return graph_; }
  [[nodiscard]] std::uint32_t between(std::uint32_t from, std::uint32_t to) const { return all_[from][to]; }
  // To the nearest originator; Graph::unreachable when there is none. Originators that are no nodes do not count.
  [[nodiscard]] std::uint32_t to(std::uint32_t from, Destination const& destination) const;

 private:
  topology::Graph graph_;
  std::vector<std::vector<std::uint32_t>> all_;
};

// For one node and destination: one entry for each primary next hop, by its name. Empty when the destination is
// unreachable, or the node is an originator itself or not in the graph. Of several alternates the best:
// node-protecting before only link-protecting, then equal cost, then downstream, then the cheapest, then by name.
std::vector<Protection> protections(Distances const& distances, std::string const& node,
                                    Destination const& destination);

// As above for all destinations, in their order.
std::vector<Protection> protections(Distances const& distances, std::string const& node,
                                    std::vector<Destination> const& all);

struct Gap {
  std::string node;
  std::string destination;
  std::string primary;
  bool node_only = false;  // the link is protected, the neighbour's own failure is not
};

struct Coverage {
  std::size_t pairs = 0;  // node, destination, primary next hop
  std::size_t link_protected = 0;
  std::size_t node_pairs = 0;      // those whose primary next hop is not the only originator: it could be gone
  std::size_t node_protected = 0;  // of node_pairs
  std::vector<Gap> gaps;           // by node, destination

  [[nodiscard]] double link_percent() const;  // 100 when there is nothing to protect
  [[nodiscard]] double node_percent() const;
};

// Over the whole topology, for people who choose links and costs.
Coverage coverage(topology::Topology const& topology);

}  // namespace backup
