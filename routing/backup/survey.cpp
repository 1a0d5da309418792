#include "routing/backup/survey.hpp"

#include "routing/backup/areas.hpp"
#include "topology/graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

namespace backup {
namespace {

using topology::Graph;
using Costs = std::vector<std::uint32_t>;

constexpr std::uint32_t far = Graph::unreachable;

// Cheapest paths from several nodes at once, and no further than `limit`.
class Search {
 public:
  explicit Search(Graph const& graph) : graph_(graph), costs_(graph.size(), far) {}

  Costs const& run(std::vector<std::uint32_t> const& from, std::uint32_t limit = far - 1) {
    for (auto const node : touched_) {
      costs_[node] = far;
    }
    touched_.clear();
    for (auto const node : from) {
      reach(node, 0);
    }
    while (!next_.empty()) {
      auto const [cost, node] = next_.top();
      next_.pop();
      if (cost > costs_[node]) {
        continue;
      }
      for (auto const& edge : graph_.edges(node)) {
        if (cost + edge.cost <= limit && cost + edge.cost < costs_[edge.to]) {
          reach(edge.to, cost + edge.cost);
        }
      }
    }
    return costs_;
  }

 private:
  using Item = std::pair<std::uint32_t, std::uint32_t>;

  void reach(std::uint32_t node, std::uint32_t cost) {
    if (costs_[node] == far) {
      touched_.push_back(node);
    }
    costs_[node] = cost;
    next_.emplace(cost, node);
  }

  Graph const& graph_;
  Costs costs_;
  std::vector<std::uint32_t> touched_;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> next_;
};

// The cost of the cheapest path between the ends of each link, which need not be the link.
Costs between_ends(Graph const& graph) {
  Costs out(graph.links().size(), far);
  Search search(graph);
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    std::uint32_t limit = 0;
    for (auto const& edge : graph.edges(node)) {
      limit = std::max(limit, edge.cost);
    }
    auto const& costs = search.run({node}, limit);
    for (auto const& edge : graph.edges(node)) {
      out[edge.link] = costs[edge.to];
    }
  }
  return out;
}

std::vector<std::vector<std::uint32_t>> originators(topology::Topology const& topology, Graph const& graph) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  std::vector<std::vector<std::uint32_t>> out;
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    numbers.emplace(graph.name(node), node);
    out.push_back({node});
  }
  for (auto const& service : topology.services) {
    out.emplace_back();
    for (auto const& name : service.nodes) {
      if (auto const found = numbers.find(name); found != numbers.end()) {
        out.back().push_back(found->second);
      }
    }
  }
  return out;
}

void count(Graph const& graph, Costs const& ends, Costs const& to, std::uint32_t node, Survey& out) {
  if (to[node] == far || to[node] == 0) {
    return;
  }
  // Inequality 1 of RFC 5286: the neighbour's own way does not lead back through this node.
  std::size_t primaries = 0;
  std::size_t loop_free = 0;
  for (auto const& edge : graph.edges(node)) {
    if (to[edge.to] == far) {
      continue;
    }
    primaries += std::uint64_t{edge.cost} + to[edge.to] == to[node] ? 1U : 0U;
    loop_free += to[edge.to] < std::uint64_t{ends[edge.link]} + to[node] ? 1U : 0U;
  }
  // A primary next hop is loop-free itself, so another one must be there as well.
  out.cases += primaries;
  out.covered += loop_free > 1 ? primaries : 0U;
}

}  // namespace

double Survey::percent() const {
  return cases == 0 ? 100.0 : 100.0 * static_cast<double>(covered) / static_cast<double>(cases);
}

Survey survey(topology::Topology const& topology, std::size_t most_destinations) {
  if (topology.areas.size() > 1) {
    return Areas(topology, topology.links).survey(destinations(topology), most_destinations);
  }
  Graph const graph(topology.platform_nodes(), topology.links);
  auto const all = originators(topology, graph);
  auto const ends = between_ends(graph);
  Survey out;
  out.of = all.size();
  out.destinations = std::min(all.size(), most_destinations);
  Search search(graph);
  for (std::size_t i = 0; i < out.destinations; ++i) {
    auto const& costs = search.run(all[i * all.size() / out.destinations]);
    for (std::uint32_t node = 0; node < graph.size(); ++node) {
      count(graph, ends, costs, node, out);
    }
  }
  return out;
}

}  // namespace backup
