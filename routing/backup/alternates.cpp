#include "routing/backup/alternates.hpp"

#include "routing/backup/areas.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

namespace backup {
namespace {

using topology::Graph;

// Costs are added in 64 bits, so that an unreachable one stays larger than any real sum.
constexpr std::uint64_t far = Graph::unreachable;

std::uint64_t plus(std::uint32_t a, std::uint32_t b) {
  return a == Graph::unreachable || b == Graph::unreachable ? 2 * far : std::uint64_t{a} + b;
}

// The inequalities of RFC 5286 for one S, E and P, with every distance at hand.
class Chooser {
 public:
  Chooser(Distances const& distances, Destination const& destination, std::uint32_t self)
      : distances_(distances), destination_(destination), self_(self), cost_(distances.to(self, destination)) {}

  [[nodiscard]] std::uint32_t cost() const { return cost_; }

  [[nodiscard]] bool is_primary(Graph::Edge const& edge) const {
    return plus(edge.cost, distances_.to(edge.to, destination_)) == cost_;
  }

  [[nodiscard]] std::optional<Alternate> judge(Graph::Edge const& edge, std::uint32_t primary) const {
    std::uint32_t const onward = distances_.to(edge.to, destination_);
    bool const loop_free = onward < plus(distances_.between(edge.to, self_), cost_);
    if (edge.to == primary || onward == Graph::unreachable || !loop_free) {
      return std::nullopt;
    }
    Alternate out;
    out.neighbor = distances_.graph().name(edge.to);
    out.cost = static_cast<std::uint32_t>(plus(edge.cost, onward));
    out.downstream = onward < cost_;
    out.node_protecting = onward < plus(distances_.between(edge.to, primary), distances_.to(primary, destination_));
    out.equal_cost = out.cost == cost_;
    return out;
  }

  [[nodiscard]] std::optional<Alternate> best(std::uint32_t primary) const {
    auto const rank = [](Alternate const& one) {
      return std::tuple(!one.node_protecting, !one.equal_cost, !one.downstream, one.cost, one.neighbor);
    };
    std::optional<Alternate> out;
    for (auto const& edge : distances_.graph().edges(self_)) {
      auto candidate = judge(edge, primary);
      if (candidate && (!out || rank(*candidate) < rank(*out))) {
        out = std::move(candidate);
      }
    }
    return out;
  }

 private:
  Distances const& distances_;
  Destination const& destination_;
  std::uint32_t self_;
  std::uint32_t cost_;
};

bool is_originator(Destination const& destination, std::string const& node) {
  return destination.originators.contains(node);
}

double percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<Destination> destinations(topology::Topology const& topology) {
  std::vector<Destination> out;
  for (auto const& node : topology.platform_nodes()) {
    out.push_back({node.name, {{node.name, 0}}});
  }
  for (auto const& service : topology.services) {
    Destination destination{"service:" + service.name, {}};
    for (auto const& node : service.nodes) {
      destination.originators.emplace(node, 0);
    }
    out.push_back(std::move(destination));
  }
  return out;
}

Distances::Distances(Graph graph) : graph_(std::move(graph)) {
  all_.reserve(graph_.size());
  for (std::uint32_t node = 0; node < graph_.size(); ++node) {
    all_.push_back(graph_.distances(node));
  }
}

Distances::Distances(Graph graph, std::string const& node) : graph_(std::move(graph)), all_(graph_.size()) {
  if (auto const self = graph_.index(node)) {
    all_[*self] = graph_.distances(*self);
    for (auto const& edge : graph_.edges(*self)) {
      all_[edge.to] = graph_.distances(edge.to);
    }
  }
}

std::uint32_t Distances::to(std::uint32_t from, Destination const& destination) const {
  std::uint64_t best = far;
  for (auto const& [name, outer] : destination.originators) {
    if (auto const originator = graph_.index(name)) {
      best = std::min(best, plus(all_[from][*originator], outer));
    }
  }
  return static_cast<std::uint32_t>(best);
}

std::vector<Protection> protections(Distances const& distances, std::string const& node,
                                    Destination const& destination) {
  std::vector<Protection> out;
  auto const self = distances.graph().index(node);
  if (!self) {
    return out;
  }
  Chooser const chooser(distances, destination, *self);
  if (chooser.cost() == Graph::unreachable || is_originator(destination, node)) {
    return out;
  }
  for (auto const& edge : distances.graph().edges(*self)) {
    if (chooser.is_primary(edge)) {
      out.push_back({destination.name, distances.graph().name(edge.to), chooser.cost(), chooser.best(edge.to)});
    }
  }
  std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.primary < b.primary; });
  return out;
}

std::vector<Protection> protections(Distances const& distances, std::string const& node,
                                    std::vector<Destination> const& all) {
  std::vector<Protection> out;
  for (auto const& destination : all) {
    auto some = protections(distances, node, destination);
    std::move(some.begin(), some.end(), std::back_inserter(out));
  }
  return out;
}

double Coverage::link_percent() const {
  return percent(link_protected, pairs);
}

double Coverage::node_percent() const {
  return percent(node_protected, node_pairs);
}

Coverage coverage(topology::Topology const& topology) {
  Coverage out;
  auto const nodes = topology.platform_nodes();
  bool const several = topology.areas.size() > 1;
  Distances const distances(several ? Graph({}, {}) : Graph(nodes, topology.links));
  std::optional<Areas> areas;
  if (several) {
    areas.emplace(topology, topology.links);
  }
  auto const all = destinations(topology);
  for (auto const& node : nodes) {
    for (auto const& destination : all) {
      auto const found =
          areas ? areas->protections(node.name, destination) : protections(distances, node.name, destination);
      for (auto const& protection : found) {
        // When the next hop is the only place the destination is at, its failure leaves nothing to reach.
        bool const may_lose_node =
            !is_originator(destination, protection.primary) || destination.originators.size() > 1;
        bool const node_protected = protection.alternate && protection.alternate->node_protecting;
        out.pairs += 1;
        out.link_protected += protection.alternate ? 1U : 0U;
        out.node_pairs += may_lose_node ? 1U : 0U;
        out.node_protected += may_lose_node && node_protected ? 1U : 0U;
        if (!protection.alternate || (may_lose_node && !node_protected)) {
          out.gaps.push_back({node.name, destination.name, protection.primary, protection.alternate.has_value()});
        }
      }
    }
  }
  return out;
}

}  // namespace backup
