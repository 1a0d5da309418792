// The cases of node, primary next hop and destination that no loop-free alternate covers, and how many of them a link
// between two nodes would.
//
// Threads: one object, one thread at a time.
#pragma once

#include "topology/graph.hpp"
#include "topology/topology.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace repair_links {

class Cases {
 public:
  using Number = std::uint32_t;

  // N runs of Dijkstra and N * N numbers.
  Cases(topology::Topology const& topology, std::vector<topology::Node> const& nodes);

  [[nodiscard]] topology::Graph const& graph() const { return graph_; }
  [[nodiscard]] std::uint32_t distance(Number a, Number b) const { return all_[a][b]; }
  [[nodiscard]] bool adjacent(Number a, Number b) const;
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t covered() const { return count_ - open_; }

  // Twice the cases that a link would cover and share no fate with, and once the others.
  [[nodiscard]] std::size_t gain(Number a, Number b) const;
  // They are covered from now on; how many.
  std::size_t take(Number a, Number b);

 private:
  struct Case {
    Number primary;
    Number link;
    Number destination;
  };

  [[nodiscard]] bool covers(Number self, Number other, Case const& of) const;
  [[nodiscard]] bool shares_fate(Number self, Number other, Case const& of) const;
  void find(Number self);

  topology::Graph graph_;
  std::vector<std::vector<std::uint32_t>> all_;  // costs between nodes
  std::vector<std::vector<std::uint32_t>> to_;   // by destination (nodes, then services) and node
  std::vector<std::set<std::string>> groups_;    // of each node: site, provider, risks
  std::vector<std::vector<Case>> uncovered_;     // of each node
  std::size_t count_ = 0;
  std::size_t open_ = 0;
};

}  // namespace repair_links
