#include "routing/repair_links/cases.hpp"

#include <algorithm>

namespace repair_links {
namespace {

constexpr std::uint32_t far = topology::Graph::unreachable;

}  // namespace

Cases::Cases(topology::Topology const& topology, std::vector<topology::Node> const& nodes)
    : graph_(nodes, topology.links) {
  for (Number node = 0; node < graph_.size(); ++node) {
    all_.push_back(graph_.distances(node));
    auto const& one = nodes[node];
    auto const* const site = topology.site(one.site);
    auto& groups = groups_.emplace_back();
    groups.insert("site " + one.site);
    if (site != nullptr && !site->provider.empty()) {
      groups.insert("provider " + site->provider);
    }
    for (auto const& risk : one.risks) {
      groups.insert("risk " + risk);
    }
  }
  to_ = all_;
  for (auto const& service : topology.services) {
    auto& row = to_.emplace_back(graph_.size(), far);
    for (auto const& name : service.nodes) {
      if (auto const originator = graph_.index(name)) {
        std::transform(row.begin(), row.end(), all_[*originator].begin(), row.begin(),
                       [](std::uint32_t x, std::uint32_t y) { return std::min(x, y); });
      }
    }
  }
  uncovered_.resize(graph_.size());
  for (Number node = 0; node < graph_.size(); ++node) {
    find(node);
  }
}

void Cases::find(Number self) {
  for (Number destination = 0; destination < to_.size(); ++destination) {
    auto const& to = to_[destination];
    if (to[self] == far || to[self] == 0) {
      continue;
    }
    std::size_t loop_free = 0;
    std::vector<Case> primaries;
    for (auto const& edge : graph_.edges(self)) {
      if (std::uint64_t{edge.cost} + to[edge.to] == to[self]) {
        primaries.push_back({edge.to, edge.link, destination});
      }
      loop_free += to[edge.to] < std::uint64_t{all_[edge.to][self]} + to[self] ? 1U : 0U;
    }
    count_ += primaries.size();
    if (loop_free < 2) {  // the primary next hop is one itself
      open_ += primaries.size();
      uncovered_[self].insert(uncovered_[self].end(), primaries.begin(), primaries.end());
    }
  }
}

bool Cases::adjacent(Number a, Number b) const {
  auto const& edges = graph_.edges(a);
  return a == b || std::any_of(edges.begin(), edges.end(), [&](auto const& edge) { return edge.to == b; });
}

// Inequality 1 of RFC 5286, of a neighbour that it is not yet.
bool Cases::covers(Number self, Number other, Case const& of) const {
  auto const& to = to_[of.destination];
  return to[other] != far && all_[other][self] != far && to[other] < std::uint64_t{all_[other][self]} + to[self];
}

// Whether what may have taken the link away takes the detour's other end too, or a link on its way.
bool Cases::shares_fate(Number self, Number other, Case const& of) const {
  auto const& own = groups_[self];
  auto const& theirs = groups_[other];
  bool const place = std::any_of(groups_[of.primary].begin(), groups_[of.primary].end(),
                                 [&](auto const& group) { return !own.contains(group) && theirs.contains(group); });
  auto const& risks = graph_.links()[of.link].risks;
  if (place || risks.empty()) {
    return place;
  }
  auto const& to = to_[of.destination];
  for (Number node = 0; node < graph_.size(); ++node) {
    for (auto const& edge : graph_.edges(node)) {
      auto const& others = graph_.links()[edge.link].risks;
      bool const same_risk = std::any_of(risks.begin(), risks.end(), [&](auto const& risk) {
        return std::find(others.begin(), others.end(), risk) != others.end();
      });
      if (same_risk && all_[other][node] != far && to[edge.to] != far &&
          std::uint64_t{all_[other][node]} + edge.cost + to[edge.to] == to[other]) {
        return true;
      }
    }
  }
  return false;
}

std::size_t Cases::gain(Number a, Number b) const {
  std::size_t out = 0;
  for (auto const& [self, other] : {std::pair(a, b), std::pair(b, a)}) {
    for (auto const& one : uncovered_[self]) {
      if (covers(self, other, one)) {
        out += shares_fate(self, other, one) ? 1U : 2U;
      }
    }
  }
  return out;
}

std::size_t Cases::take(Number a, Number b) {
  std::size_t out = 0;
  for (auto const& [self, other] : {std::pair(a, b), std::pair(b, a)}) {
    out += std::erase_if(uncovered_[self],
                         [&, me = self, them = other](Case const& one) { return covers(me, them, one); });
  }
  open_ -= out;
  return out;
}

}  // namespace repair_links
