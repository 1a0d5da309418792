#include "topology/proof/areas.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace proof {
namespace {

using topology::Graph;
using topology::Link;
using topology::Node;
using Ends = std::pair<std::string, std::string>;

struct Members {
  std::set<std::string> nodes;
  std::vector<Link> links;
};

std::map<std::string, Members> members_of(topology::Topology const& topology) {
  std::map<std::string, Members> out;
  for (auto const& link : topology.links) {
    auto& area = out[topology.area_of(link)];
    area.links.push_back(link);
    area.nodes.insert({link.a, link.b});
  }
  return out;
}

struct Whole {
  Graph const& graph;
  std::vector<Group> const& groups;
  std::set<std::string> const& backbone;
};

// Nothing is left but nodes of this area: then nobody misses the backbone.
bool leaves_only(std::map<std::string_view, std::uint32_t> const& area, Group const& group, Whole const& whole) {
  std::vector<bool> lost(whole.graph.size(), false);
  for (auto const node : group.nodes) {
    lost[node] = true;
  }
  for (std::uint32_t i = 0; i < whole.graph.size(); ++i) {
    auto const& name = whole.graph.name(i);
    if (!lost[i] && (!area.contains(name) || whole.backbone.contains(name))) {
      return false;
    }
  }
  return true;
}

// Of the groups of the whole mesh, what of them is in this area.
std::vector<Group> groups_in(AreaGraph const& area, Whole const& whole) {
  std::map<std::string_view, std::uint32_t> nodes;
  for (std::uint32_t i = 0; i < area.graph.size(); ++i) {
    nodes.emplace(area.graph.name(i), i);
  }
  std::map<Ends, std::uint32_t> links;
  for (std::uint32_t i = 0; i < area.graph.links().size(); ++i) {
    links.emplace(Ends(area.graph.links()[i].a, area.graph.links()[i].b), i);
  }
  std::vector<Group> out;
  for (auto const& group : whole.groups) {
    Group here{group.kind, group.name, {}, {}};
    for (auto const node : group.nodes) {
      if (auto const found = nodes.find(whole.graph.name(node)); found != nodes.end()) {
        here.nodes.push_back(found->second);
      }
    }
    for (auto const link : group.links) {
      auto const& one = whole.graph.links()[link];
      if (auto const found = links.find(Ends(one.a, one.b)); found != links.end()) {
        here.links.push_back(found->second);
      }
    }
    if (here.nodes.empty() && here.links.empty()) {
      continue;
    }
    if (area.backbone < area.graph.size() && leaves_only(nodes, group, whole)) {
      here.nodes.push_back(area.backbone);
    }
    std::sort(here.nodes.begin(), here.nodes.end());
    std::sort(here.links.begin(), here.links.end());
    out.push_back(std::move(here));
  }
  return out;
}

Graph graph_of(Members members, std::set<std::string> const* backbone) {
  std::vector<Node> nodes;
  for (auto const& name : members.nodes) {
    nodes.emplace_back().name = name;
    if (backbone != nullptr && backbone->contains(name)) {
      auto& link = members.links.emplace_back();
      link.a = name;
      link.b = name_of_the_backbone;
    }
  }
  if (backbone != nullptr) {
    nodes.emplace_back().name = name_of_the_backbone;
  }
  std::sort(members.links.begin(), members.links.end(),
            [](Link const& x, Link const& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
  return Graph(nodes, members.links);
}

}  // namespace

std::vector<AreaGraph> areas_of(topology::Topology const& topology) {
  auto members = members_of(topology);
  std::vector<AreaGraph> out;
  if (members.size() < 2) {
    return out;
  }
  auto& core = members[topology::Area{}.id].nodes;
  for (auto const& node : topology.platform_nodes()) {
    if (node.area.empty() || node.area == topology::Area{}.id) {
      core.insert(node.name);  // also one without a link of the backbone, which is a border all the same
    }
  }
  Graph const graph(topology.platform_nodes(), topology.links);
  auto const groups = groups_of(topology, graph);
  Whole const whole{graph, groups, core};
  for (auto const& [name, area] : members) {
    bool const is_backbone = name == topology::Area{}.id;
    auto own = graph_of(area, is_backbone ? nullptr : &core);
    auto const number = is_backbone ? own.size() : own.size() - 1;
    out.push_back({name, std::move(own), {}, number});
    out.back().groups = groups_in(out.back(), whole);
  }
  std::stable_partition(out.begin(), out.end(), [](AreaGraph const& one) { return one.area == topology::Area{}.id; });
  return out;
}

}  // namespace proof
