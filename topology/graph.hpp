// The mesh as a graph: links made from the shape, distances, connected parts. What single losses cut off is told by
// topology/proof.
//
// Threads: pure functions.
#pragma once

#include "topology/topology.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topology {

// Whether one of the two can open a WireGuard session to the other: both have an underlay address of one family, or
// one of them has an address and the other none (behind NAT, its family unknown). Two nodes behind NAT cannot.
bool can_link(Node const& a, Node const& b);

// Links of the shape for the given nodes, added to the ones written by hand (which win); sorted, each pair once. Pairs
// that cannot reach each other (can_link) are left out. What each shape makes is told in shape/shape.hpp; `links` is
// only those written by hand. `sites` lends distances and providers; without it only site names count.
std::vector<Link> build_links(Mesh const& mesh, std::vector<Node> const& nodes, std::vector<Link> const& by_hand,
                              std::vector<Site> const& sites = {});

// Completes a topology whose links are those written by hand: the shape's links, and in `tiers` the areas. There every
// regional node borders an area besides the backbone from day one (its own, empty one, until it has edges), because
// BIRD restarts OSPF on a node that comes from one area to several. With more platform nodes than mesh.areas_above the
// edges of each pair of regional nodes, and the link between the two, are an area of their own. An edge that has an
// area, or a link written by hand that leaves its pair, stays where it is.
void apply_shape(Topology& topology);

// Nodes and links as numbers, for algorithms. Links whose ends are not among the nodes are left out.
class Graph {
 public:
  static constexpr std::uint32_t unreachable = std::numeric_limits<std::uint32_t>::max();
  struct Edge {
    std::uint32_t to;
    std::uint32_t cost;
    std::uint32_t link;  // index into links()
  };

  Graph(std::vector<Node> const& nodes, std::vector<Link> const& links);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] std::string const& name(std::uint32_t node) const { return names_[node]; }
  [[nodiscard]] std::optional<std::uint32_t> index(std::string_view name) const;
  [[nodiscard]] std::vector<Edge> const& edges(std::uint32_t node) const { return edges_[node]; }
  [[nodiscard]] std::vector<Link> const& links() const { return links_; }

  // Cost of the cheapest path from `from` to every node; `unreachable` where there is none.
  [[nodiscard]] std::vector<std::uint32_t> distances(std::uint32_t from) const;
  // The connected parts that are left without some nodes and one link (no_link: all links stand), each in order of
  // node number; the largest first, of two equal ones that with the smaller first node.
  static constexpr std::uint32_t no_link = std::numeric_limits<std::uint32_t>::max();
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> parts(std::vector<bool> const& without_nodes,
                                                              std::uint32_t without_link) const;

 private:
  std::vector<std::string> names_;
  std::vector<Link> links_;
  std::vector<std::vector<Edge>> edges_;
};

}  // namespace topology
