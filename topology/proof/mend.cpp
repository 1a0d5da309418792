#include "topology/proof/mend.hpp"

#include "base/result/result.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace proof {

Loss loss_of(Group const& group, topology::Graph const& graph) {
  Loss out{std::vector<bool>(graph.size(), false), std::vector<bool>(graph.links().size(), false)};
  for (auto const node : group.nodes) {
    out.nodes[node] = true;
  }
  for (auto const link : group.links) {
    out.links[link] = true;
  }
  return out;
}

std::vector<std::vector<std::uint32_t>> parts_without(topology::Graph const& graph, Loss const& loss) {
  std::vector<std::vector<std::uint32_t>> out;
  std::vector<bool> seen = loss.nodes;
  for (std::uint32_t start = 0; start < graph.size(); ++start) {
    if (seen[start]) {
      continue;
    }
    std::vector<std::uint32_t> part{start};
    seen[start] = true;
    for (std::size_t i = 0; i < part.size(); ++i) {
      for (auto const& edge : graph.edges(part[i])) {
        if (!loss.links[edge.link] && !seen[edge.to]) {
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

Mender::Mender(topology::Topology const& topology, topology::Graph const& graph)
    : graph_(graph), mesh_(topology.mesh), nodes_(graph.size()), places_(graph.size()) {
  std::unordered_map<std::string_view, topology::Node const*> nodes;
  for (auto const& node : topology.nodes) {
    nodes.emplace(node.name, &node);
  }
  std::unordered_map<std::string_view, topology::Site const*> sites;
  for (auto const& site : topology.sites) {
    sites.emplace(site.name, &site);
  }
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    nodes_[i] = nodes.at(graph.name(i));
    auto const site = sites.find(nodes_[i]->site);
    if (site != sites.end() && site->second->latitude && site->second->longitude) {
      places_[i] = shape::Position{*site->second->latitude, *site->second->longitude};
    }
  }
}

std::uint32_t Mender::cost(std::uint32_t a, std::uint32_t b) const {
  if (nodes_[a]->site == nodes_[b]->site) {
    return mesh_.cost_within_site;
  }
  return std::min<std::uint32_t>(mesh_.cost + shape::distance_km(places_[a], places_[b]) / 100, 65535);
}

bool Mender::linked(std::uint32_t a, std::uint32_t b) const {
  auto const& edges = graph_.edges(a);
  return std::any_of(edges.begin(), edges.end(), [&](auto const& edge) { return edge.to == b; });
}

// A few of each site, those with the fewest links first: the nodes of one site are equally far from everything else.
std::vector<std::uint32_t> Mender::candidates(std::vector<std::uint32_t> const& part) const {
  constexpr std::size_t most_of_a_site = 3;
  constexpr std::size_t most = 600;
  std::map<std::pair<std::string_view, bool>, std::vector<std::uint32_t>> of_site;  // and whether it has an address
  for (auto const node : part) {
    of_site[{nodes_[node]->site, nodes_[node]->underlay.empty()}].push_back(node);
  }
  std::vector<std::uint32_t> out;
  for (auto& [site, nodes] : of_site) {
    auto const fewer_links = [&](std::uint32_t a, std::uint32_t b) {
      return std::tuple(graph_.edges(a).size(), a) < std::tuple(graph_.edges(b).size(), b);
    };
    auto const count = std::min(most_of_a_site, nodes.size());
    std::partial_sort(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(count), nodes.end(), fewer_links);
    for (std::size_t i = 0; i < count && out.size() < most; ++i) {
      out.push_back(nodes[i]);
    }
  }
  return out;
}

std::optional<Mend> Mender::cheapest(std::vector<std::vector<std::uint32_t>> const& parts, Loss const& loss) const {
  using Rate = std::tuple<std::uint32_t, std::size_t, std::uint32_t, std::uint32_t>;
  std::optional<Rate> best;
  auto const ours = candidates(parts[0]);
  for (auto const theirs : candidates(parts[1])) {
    for (auto const one : ours) {
      if (!topology::can_link(*nodes_[one], *nodes_[theirs]) || linked(one, theirs)) {
        continue;
      }
      Rate const rate(cost(one, theirs), graph_.edges(one).size() + graph_.edges(theirs).size(), one, theirs);
      if (!best || rate < *best) {
        best = rate;
      }
    }
  }
  if (!best) {
    return std::nullopt;
  }
  ASSERT(!loss.nodes[std::get<2>(*best)] && !loss.nodes[std::get<3>(*best)]);
  Mend out{graph_.name(std::get<2>(*best)), graph_.name(std::get<3>(*best)), std::get<0>(*best)};
  if (out.b < out.a) {
    std::swap(out.a, out.b);
  }
  return out;
}

}  // namespace proof
