// Puts shape::build's links onto a topology.
#include "topology/shape/shape.hpp"
#include "topology/graph.hpp"
#include "topology/values/values.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace topology {
namespace {

shape::Member member_of(Node const& node, std::uint32_t site) {
  shape::Member out;
  out.name = node.name;
  out.site = site;
  out.rank = node.role == Role::central    ? shape::Rank::central
             : node.role == Role::regional ? shape::Rank::regional
                                           : shape::Rank::edge;
  out.reach4 = std::any_of(node.underlay.begin(), node.underlay.end(), [](auto const& a) { return a.is_v4(); });
  out.reach6 = std::any_of(node.underlay.begin(), node.underlay.end(), [](auto const& a) { return a.is_v6(); });
  return out;
}

std::optional<shape::Form> form_of(Shape shape) {
  switch (shape) {
    case Shape::links:
      return std::nullopt;
    case Shape::full:
      return shape::Form::full;
    case Shape::hub:
      return shape::Form::hub;
    case Shape::tiers:
      return shape::Form::tiers;
    case Shape::cycles:
      return shape::Form::cycles;
  }
  return std::nullopt;
}

shape::Wish wish_of(Mesh const& mesh, std::vector<Node> const& nodes, std::vector<Site> const& sites) {
  shape::Wish wish;
  wish.cost = mesh.cost;
  wish.cost_within_site = mesh.cost_within_site;
  wish.cycles = mesh.cycles;
  wish.seed = mesh.seed;
  std::map<std::string_view, std::uint32_t> numbers;
  for (auto const& site : sites) {
    shape::Site out{site.name, site.provider.empty() ? site.name : site.provider, std::nullopt};
    if (site.latitude && site.longitude) {
      out.position = shape::Position{*site.latitude, *site.longitude};
    }
    numbers.emplace(site.name, static_cast<std::uint32_t>(wish.sites.size()));
    wish.sites.push_back(std::move(out));
  }
  for (auto const& node : nodes) {
    auto const [site, is_new] = numbers.emplace(node.site, static_cast<std::uint32_t>(wish.sites.size()));
    if (is_new) {
      wish.sites.push_back({node.site, node.site, std::nullopt});
    }
    wish.members.push_back(member_of(node, site->second));
  }
  for (auto const& name : mesh.tour) {
    if (auto const found = numbers.find(name); found != numbers.end()) {
      wish.tour.push_back(found->second);
    }
  }
  return wish;
}

std::vector<Link> merged(Mesh const& mesh, shape::Wish const& wish, shape::Result const& made,
                         std::vector<Link> const& by_hand) {
  std::map<std::pair<std::string_view, std::string_view>, Link> links;
  for (auto const& link : by_hand) {
    links.emplace(std::pair<std::string_view, std::string_view>(link.a, link.b), link);
  }
  for (auto const& line : made.lines) {
    auto const& a = wish.members[line.a].name;
    auto const& b = wish.members[line.b].name;
    if (!links.contains({a, b})) {
      links.emplace(std::pair<std::string_view, std::string_view>(a, b), Link{a, b, line.cost, mesh.mtu});
    }
  }
  std::vector<Link> out;
  out.reserve(links.size());
  for (auto& [ends, link] : links) {
    out.push_back(std::move(link));
  }
  return out;
}

// An area's number out of the names of those that border it: 32 bits of FNV-1a, never the backbone's.
std::string area_named(std::string_view names) {
  std::uint32_t hash = 2166136261U;
  for (char const c : names) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return boost::asio::ip::address_v4(hash == 0 ? 1 : hash).to_string();
}

using Pair = std::pair<std::string, std::string>;  // the two regional nodes of an edge, in order of names

// The pair of every edge that may be in its area.
std::map<std::string, Pair> movable_edges(Topology const& topology, shape::Wish const& wish,
                                          std::vector<shape::Home> const& homes, std::vector<Link> const& by_hand) {
  std::map<std::string, Pair> pairs;
  for (auto const& home : homes) {
    auto const& edge = wish.members[home.edge].name;
    auto const* const node = topology.node(edge);
    if (node == nullptr || (!node->area.empty() && node->area != Area{}.id)) {
      continue;
    }
    Pair pair(wish.members[home.first].name, wish.members[home.second].name);
    if (pair.second < pair.first) {
      std::swap(pair.first, pair.second);
    }
    pairs.emplace(edge, std::move(pair));
  }
  std::set<std::string> staying;
  for (auto const& link : by_hand) {
    for (auto const& [one, other] : {std::pair(&link.a, &link.b), std::pair(&link.b, &link.a)}) {
      auto const mine = pairs.find(*one);
      auto const theirs = pairs.find(*other);
      if (mine == pairs.end() || *other == mine->second.first || *other == mine->second.second ||
          (theirs != pairs.end() && theirs->second == mine->second)) {
        continue;
      }
      staying.insert(*one);
    }
  }
  for (auto const& name : staying) {
    pairs.erase(name);
  }
  return pairs;
}

void assign_areas(Topology& topology, std::map<std::string, Pair> const& pairs, bool several) {
  std::set<std::string> borders;
  std::map<std::pair<std::string_view, std::string_view>, std::string> of_twins;
  if (several) {
    for (auto& node : topology.nodes) {
      if (auto const found = pairs.find(node.name); found != pairs.end()) {
        auto const& [first, second] = found->second;
        node.area = area_named(first + "--" + second);
        of_twins.emplace(std::pair<std::string_view, std::string_view>(first, second), node.area);
        borders.insert(first);
        borders.insert(second);
      }
    }
    for (auto& link : topology.links) {
      auto const found = of_twins.find({link.a, link.b});
      if (found != of_twins.end() && link.area.empty()) {
        link.area = found->second;
      }
    }
  }
  for (auto& node : topology.nodes) {
    if (node.role == Role::regional && node.area == Area{}.id && node.border_areas.empty() &&
        !borders.contains(node.name) && topology.segment_of(node.name) == nullptr) {
      node.border_areas.push_back(area_named(node.name));
    }
  }
}

}  // namespace

bool can_link(Node const& a, Node const& b) {
  return shape::can_link(member_of(a, 0), member_of(b, 0));
}

std::vector<Link> build_links(Mesh const& mesh, std::vector<Node> const& nodes, std::vector<Link> const& by_hand,
                              std::vector<Site> const& sites) {
  auto wish = wish_of(mesh, nodes, sites);
  auto const form = form_of(mesh.shape);
  wish.form = form.value_or(shape::Form::full);
  return merged(mesh, wish, form ? shape::build(wish) : shape::Result{}, by_hand);
}

void apply_shape(Topology& topology) {
  auto const form = form_of(topology.mesh.shape);
  auto const nodes = topology.platform_nodes();
  auto wish = wish_of(topology.mesh, nodes, topology.sites);
  wish.form = form.value_or(shape::Form::full);
  auto const made = form ? shape::build(wish) : shape::Result{};
  auto const by_hand = std::exchange(topology.links, merged(topology.mesh, wish, made, topology.links));
  if (form == shape::Form::tiers) {
    auto const pairs = movable_edges(topology, wish, made.homes, by_hand);
    assign_areas(topology, pairs, nodes.size() > topology.mesh.areas_above);
  }
}

}  // namespace topology
