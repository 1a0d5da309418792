#include "topology/graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

namespace topology {

Graph::Graph(std::vector<Node> const& nodes, std::vector<Link> const& links) : edges_(nodes.size()) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  for (auto const& node : nodes) {
    numbers.emplace(node.name, static_cast<std::uint32_t>(names_.size()));
    names_.push_back(node.name);
  }
  for (auto const& link : links) {
    auto const a = numbers.find(link.a);
    auto const b = numbers.find(link.b);
    if (a == numbers.end() || b == numbers.end() || a->second == b->second) {
      continue;
    }
    auto const number = static_cast<std::uint32_t>(links_.size());
    edges_[a->second].push_back({b->second, link.cost, number});
    edges_[b->second].push_back({a->second, link.cost, number});
    links_.push_back(link);
  }
}

std::optional<std::uint32_t> Graph::index(std::string_view name) const {
  auto const found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(found - names_.begin());
}

std::vector<std::uint32_t> Graph::distances(std::uint32_t from) const {
  using Item = std::pair<std::uint32_t, std::uint32_t>;  // cost, node
  std::vector<std::uint32_t> cost(size(), unreachable);
  std::priority_queue<Item, std::vector<Item>, std::greater<>> next;
  cost[from] = 0;
  next.emplace(0, from);
  while (!next.empty()) {
    auto const [at_cost, at] = next.top();
    next.pop();
    if (at_cost > cost[at]) {
      continue;  // an older, longer way to the same node
    }
    for (auto const& edge : edges_[at]) {
      std::uint32_t const through = at_cost + edge.cost;
      if (through < cost[edge.to]) {
        cost[edge.to] = through;
        next.emplace(through, edge.to);
      }
    }
  }
  return cost;
}

std::vector<std::vector<std::uint32_t>> Graph::parts(std::vector<bool> const& without_nodes,
                                                     std::uint32_t without_link) const {
  std::vector<std::vector<std::uint32_t>> out;
  std::vector<bool> seen = without_nodes;
  for (std::uint32_t start = 0; start < size(); ++start) {
    if (seen[start]) {
      continue;
    }
    std::vector<std::uint32_t> part{start};
    seen[start] = true;
    for (std::size_t i = 0; i < part.size(); ++i) {
      for (auto const& edge : edges_[part[i]]) {
        if (edge.link != without_link && !seen[edge.to]) {
          seen[edge.to] = true;
          part.push_back(edge.to);
        }
      }
    }
    std::sort(part.begin(), part.end());
    out.push_back(std::move(part));
  }
  std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.size() > b.size(); });
  return out;
}

}  // namespace topology
