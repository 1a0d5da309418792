#include "routing/backup/passing.hpp"

#include "topology/graph.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace backup {
namespace {

using topology::Graph;
using Costs = std::vector<std::uint32_t>;

}  // namespace

std::vector<Passing> passing(topology::Topology const& topology) {
  std::vector<Passing> out;
  Graph const graph(topology.platform_nodes(), topology.links);
  for (auto const& service : topology.services) {
    std::vector<std::pair<std::uint32_t, Costs>> instances;
    for (auto const& name : service.nodes) {
      if (auto const node = graph.index(name)) {
        instances.emplace_back(*node, graph.distances(*node));
      }
    }
    for (auto const& [gone, from_gone] : instances) {
      Costs next(graph.size(), Graph::unreachable);
      for (auto const& [other, costs] : instances) {
        if (other != gone) {
          std::transform(next.begin(), next.end(), costs.begin(), next.begin(),
                         [](std::uint32_t x, std::uint32_t y) { return std::min(x, y); });
        }
      }
      Passing one{service.name, graph.name(gone), {}};
      for (std::uint32_t node = 0; node < graph.size() && next[gone] != Graph::unreachable; ++node) {
        bool const through = from_gone[node] != Graph::unreachable && node != gone &&
                             std::uint64_t{from_gone[node]} + next[gone] == next[node];
        if (through) {
          one.nodes.push_back(graph.name(node));
        }
      }
      if (!one.nodes.empty()) {
        out.push_back(std::move(one));
      }
    }
  }
  return out;
}

}  // namespace backup
