#include "topology/graph.hpp"

#include <algorithm>
#include <set>

namespace topology {
namespace {

struct Cuts {
  std::vector<bool> nodes;  // articulation points
  std::vector<bool> links;  // bridges
};

// Tarjan's low points, with an explicit stack: a chain of thousands of nodes must not exhaust the real one.
class Tarjan {
 public:
  explicit Tarjan(Graph const& graph)
      : graph_(graph),
        order_(graph.size(), 0),
        low_(graph.size(), 0),
        cuts_{std::vector<bool>(graph.size(), false), std::vector<bool>(graph.links().size())} {}

  Cuts run() {
    for (std::uint32_t node = 0; node < graph_.size(); ++node) {
      if (order_[node] == 0) {
        visit_from(node);
      }
    }
    return std::move(cuts_);
  }

 private:
  struct Visit {
    std::uint32_t node;
    std::uint32_t through;  // the link that led here
    std::size_t next_edge;
  };

  void enter(std::uint32_t node, std::uint32_t through) {
    order_[node] = low_[node] = ++clock_;
    stack_.push_back({node, through, 0});
  }

  void visit_from(std::uint32_t root) {
    std::uint32_t children_of_root = 0;
    enter(root, Graph::no_link);
    while (!stack_.empty()) {
      Visit& visit = stack_.back();
      auto const& edges = graph_.edges(visit.node);
      if (visit.next_edge < edges.size()) {
        auto const edge = edges[visit.next_edge++];
        if (edge.link == visit.through) {
          continue;
        }
        if (order_[edge.to] != 0) {
          low_[visit.node] = std::min(low_[visit.node], order_[edge.to]);
        } else {
          enter(edge.to, edge.link);
        }
        continue;
      }
      Visit const left = visit;
      stack_.pop_back();
      if (!stack_.empty()) {
        children_of_root += leave(left, stack_.back().node, root);
      }
    }
    cuts_.nodes[root] = children_of_root > 1;
  }

  // Hands what was learnt below `left` to its parent; returns 1 when that is the root.
  std::uint32_t leave(Visit const& left, std::uint32_t parent, std::uint32_t root) {
    low_[parent] = std::min(low_[parent], low_[left.node]);
    if (low_[left.node] > order_[parent]) {
      cuts_.links[left.through] = true;
    }
    if (parent == root) {
      return 1;
    }
    if (low_[left.node] >= order_[parent]) {
      cuts_.nodes[parent] = true;
    }
    return 0;
  }

  Graph const& graph_;
  std::vector<std::uint32_t> order_;  // 0: not visited
  std::vector<std::uint32_t> low_;
  std::vector<Visit> stack_;
  std::uint32_t clock_ = 0;
  Cuts cuts_;
};

class Finder {
 public:
  explicit Finder(Graph const& graph) : graph_(graph) {}

  void try_without(Weakness::Kind kind, std::string const& name, std::vector<bool> const& nodes, std::uint32_t link) {
    auto const parts = graph_.parts(nodes, link);
    if (parts.size() < 2) {
      return;
    }
    Weakness weakness{kind, name, {}};
    for (std::size_t i = 1; i < parts.size(); ++i) {
      for (auto const node : parts[i]) {
        weakness.cut_off.push_back(graph_.name(node));
      }
    }
    std::sort(weakness.cut_off.begin(), weakness.cut_off.end());
    found_.push_back(std::move(weakness));
  }

  std::vector<Weakness> take() {
    std::stable_sort(found_.begin(), found_.end(), [](Weakness const& a, Weakness const& b) {
      return a.kind != b.kind ? a.kind < b.kind : a.name < b.name;
    });
    return std::move(found_);
  }

 private:
  Graph const& graph_;
  std::vector<Weakness> found_;
};

}  // namespace

std::vector<Weakness> weaknesses(Topology const& topology) {
  auto const nodes = topology.platform_nodes();
  Graph const graph(nodes, topology.links);
  std::vector<bool> const nobody(graph.size(), false);
  auto cuts = Tarjan(graph).run();
  if (graph.parts(nobody, Graph::no_link).size() > 1) {
    // Already in pieces: then anything that leaves two of them counts, and the low points know nothing about that.
    cuts.nodes.assign(graph.size(), true);
    cuts.links.assign(graph.links().size(), true);
  }
  Finder finder(graph);
  auto const without = [&](auto const& matches) {
    std::vector<bool> gone(graph.size(), false);
    for (std::uint32_t i = 0; i < graph.size(); ++i) {
      gone[i] = matches(nodes[i]);
    }
    return gone;
  };
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    if (cuts.nodes[i]) {
      std::vector<bool> gone = nobody;
      gone[i] = true;
      finder.try_without(Weakness::Kind::node, graph.name(i), gone, Graph::no_link);
    }
  }
  for (std::uint32_t i = 0; i < graph.links().size(); ++i) {
    if (cuts.links[i]) {
      finder.try_without(Weakness::Kind::link, graph.links()[i].name(), nobody, i);
    }
  }
  std::set<std::string> providers;
  for (auto const& site : topology.sites) {
    auto const gone = without([&](Node const& node) { return node.site == site.name; });
    finder.try_without(Weakness::Kind::site, site.name, gone, Graph::no_link);
    if (!site.provider.empty()) {
      providers.insert(site.provider);
    }
  }
  for (auto const& provider : providers) {
    auto const gone = without([&](Node const& node) {
      auto const* const site = topology.site(node.site);
      return site != nullptr && site->provider == provider;
    });
    finder.try_without(Weakness::Kind::provider, provider, gone, Graph::no_link);
  }
  return finder.take();
}

}  // namespace topology
