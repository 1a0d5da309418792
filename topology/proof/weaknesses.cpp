#include "topology/proof/weaknesses.hpp"

#include "topology/proof/areas.hpp"
#include "topology/proof/mend.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace proof {
namespace {

using topology::Graph;
using topology::Topology;

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

// What is looked at: the whole mesh, or one of its OSPF areas, in which the backbone is a node that is never lost.
struct View {
  Graph const& graph;
  std::vector<Group> const& groups;
  std::vector<Reliance> const& reliances;
  std::string area;        // empty: the whole mesh
  std::uint32_t backbone;  // the node that stands for it; graph.size(): none
  Mender const* mender;    // nullptr: a link would not mend it
};

class Finder {
 public:
  explicit Finder(View const& view) : view_(view), graph_(view.graph) {}

  std::vector<Weakness> run() {
    Loss loss{std::vector<bool>(graph_.size(), false), std::vector<bool>(graph_.links().size(), false)};
    auto cuts = Tarjan(graph_).run();
    if (parts_without(graph_, loss).size() > 1) {
      // Already in pieces: then anything that leaves two of them counts, and the low points know nothing about that.
      cuts.nodes.assign(graph_.size(), true);
      cuts.links.assign(graph_.links().size(), true);
    }
    try_loss(Weakness::Kind::nothing, "", loss, true);
    for (std::uint32_t i = 0; i < graph_.size(); ++i) {
      if (i != view_.backbone) {
        loss.nodes[i] = true;
        try_loss(Weakness::Kind::node, graph_.name(i), loss, cuts.nodes[i]);
        loss.nodes[i] = false;
      }
    }
    for (std::uint32_t i = 0; i < graph_.links().size(); ++i) {
      if (cuts.links[i] && !(view_.backbone < graph_.size() && graph_.links()[i].b == graph_.name(view_.backbone))) {
        loss.links[i] = true;
        try_loss(Weakness::Kind::link, graph_.links()[i].name(), loss, true);
        loss.links[i] = false;
      }
    }
    for (auto const& group : view_.groups) {
      auto const kind = group.kind == Group::Kind::site       ? Weakness::Kind::site
                        : group.kind == Group::Kind::provider ? Weakness::Kind::provider
                                                              : Weakness::Kind::risk;
      try_loss(kind, group.name, loss_of(group, graph_), true);
    }
    return std::move(found_);
  }

 private:
  // Reports the loss when it separates or silences anything. `may_separate` is false when that is known beforehand.
  void try_loss(Weakness::Kind kind, std::string const& name, Loss const& loss, bool may_separate) {
    Weakness weakness;
    weakness.kind = kind;
    weakness.name = name;
    weakness.area = view_.area;
    for (auto const& reliance : view_.reliances) {
      bool const silenced = std::all_of(reliance.nodes.begin(), reliance.nodes.end(),
                                        [&](std::uint32_t node) { return loss.nodes[node]; });
      if (silenced && !reliance.nodes.empty()) {
        weakness.silenced.push_back(std::string(name_of(reliance.kind)) + " " + reliance.name);
      }
    }
    if (may_separate) {
      separate(loss, weakness);
    }
    if (weakness.cut_off_count != 0 || !weakness.silenced.empty()) {
      found_.push_back(std::move(weakness));
    }
  }

  void separate(Loss const& loss, Weakness& weakness) {
    auto parts = parts_without(graph_, loss);
    if (parts.size() < 2) {
      return;
    }
    // What is cut off is cut off from the backbone, however small the part with it is.
    std::stable_partition(parts.begin(), parts.end(), [this](std::vector<std::uint32_t> const& part) {
      return std::binary_search(part.begin(), part.end(), view_.backbone);
    });
    weakness.parts = parts.size();
    for (std::size_t i = 1; i < parts.size(); ++i) {
      weakness.cut_off_count += parts[i].size();
      for (auto const node : parts[i]) {
        if (names_ < names_limit) {
          ++names_;
          weakness.cut_off.push_back(graph_.name(node));
        }
      }
    }
    std::sort(weakness.cut_off.begin(), weakness.cut_off.end());
    if (view_.mender != nullptr) {
      weakness.mend = view_.mender->cheapest(parts, loss);
    }
  }

  View const& view_;
  Graph const& graph_;
  std::vector<Weakness> found_;
  std::size_t names_ = 0;
};

std::vector<std::uint32_t> numbers_of(std::unordered_map<std::string_view, std::uint32_t> const& numbers,
                                      std::vector<std::string> const& names) {
  std::vector<std::uint32_t> out;
  for (auto const& name : names) {
    if (auto const found = numbers.find(name); found != numbers.end()) {
      out.push_back(found->second);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::unordered_map<std::string_view, std::uint32_t> numbers_of(Graph const& graph) {
  std::unordered_map<std::string_view, std::uint32_t> out;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    out.emplace(graph.name(i), i);
  }
  return out;
}

std::string list_of(std::vector<std::string> const& names, std::size_t count) {
  constexpr std::size_t most = 12;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    out += " " + names[i];
  }
  auto const told = std::min(most, names.size());
  return count > told ? out + " and " + std::to_string(count - told) + " more" : out;
}

bool is_edge_area(std::string const& area) {
  return !area.empty() && area != topology::Area{}.id;
}

// Where the whole mesh holds and OSPF does not.
std::string within(std::string const& area) {
  if (area.empty()) {
    return "";
  }
  return is_edge_area(area) ? " within area " + area : " within the backbone, and OSPF goes through no other area";
}

}  // namespace

std::vector<Group> groups_of(Topology const& topology, Graph const& graph) {
  std::map<std::pair<Group::Kind, std::string>, Group> groups;
  auto const group = [&](Group::Kind kind, std::string const& name) -> Group& {
    auto& out = groups[{kind, name}];
    out.kind = kind;
    out.name = name;
    return out;
  };
  std::unordered_map<std::string_view, std::string_view> providers;
  for (auto const& site : topology.sites) {
    providers.emplace(site.name, site.provider);
  }
  std::unordered_map<std::string_view, topology::Node const*> nodes;
  for (auto const& node : topology.nodes) {
    nodes.emplace(node.name, &node);
  }
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    auto const& node = *nodes.at(graph.name(i));
    group(Group::Kind::site, node.site).nodes.push_back(i);
    if (auto const provider = providers.find(node.site); provider != providers.end() && !provider->second.empty()) {
      group(Group::Kind::provider, std::string(provider->second)).nodes.push_back(i);
    }
    for (auto const& risk : node.risks) {
      group(Group::Kind::risk, risk).nodes.push_back(i);
    }
  }
  for (std::uint32_t i = 0; i < graph.links().size(); ++i) {
    for (auto const& risk : graph.links()[i].risks) {
      group(Group::Kind::risk, risk).links.push_back(i);
    }
  }
  std::vector<Group> out;
  for (auto& [key, one] : groups) {
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<Reliance> reliances_of(Topology const& topology, Graph const& graph) {
  auto const numbers = numbers_of(graph);
  std::vector<Reliance> out;
  for (auto const& service : topology.services) {
    out.push_back({Reliance::Kind::service, service.name, numbers_of(numbers, service.nodes)});
  }
  for (auto const& segment : topology.segments) {
    out.push_back({Reliance::Kind::segment, segment.name, numbers_of(numbers, segment.gateways)});
  }
  return out;
}

char const* name_of(Group::Kind kind) {
  return kind == Group::Kind::site ? "site" : kind == Group::Kind::provider ? "provider" : "risk";
}

char const* name_of(Reliance::Kind kind) {
  return kind == Reliance::Kind::service ? "service" : "segment";
}

char const* name_of(Weakness::Kind kind) {
  switch (kind) {
    case Weakness::Kind::node:
      return "node";
    case Weakness::Kind::link:
      return "link";
    case Weakness::Kind::site:
      return "site";
    case Weakness::Kind::provider:
      return "provider";
    case Weakness::Kind::risk:
      return "risk";
    case Weakness::Kind::nothing:
      break;
  }
  return "nothing";
}

std::vector<Weakness> weaknesses(Topology const& topology) {
  Graph const graph(topology.platform_nodes(), topology.links);
  auto const groups = groups_of(topology, graph);
  auto const reliances = reliances_of(topology, graph);
  Mender const mender(topology, graph);
  auto out = Finder({graph, groups, reliances, {}, graph.size(), &mender}).run();
  auto const key = [](Weakness const& one) { return std::pair(one.kind, one.name); };
  std::set<std::pair<Weakness::Kind, std::string>> separating;
  for (auto const& one : out) {
    if (one.cut_off_count != 0) {
      separating.insert(key(one));
    }
  }
  std::vector<Reliance> const none;
  for (auto const& area : areas_of(topology)) {
    std::optional<Mender> mend_backbone;
    if (area.backbone == area.graph.size()) {
      mend_backbone.emplace(topology, area.graph);
    }
    View const view{area.graph, area.groups, none, area.area, area.backbone, mend_backbone ? &*mend_backbone : nullptr};
    for (auto& one : Finder(view).run()) {
      if (!separating.contains(key(one))) {
        out.push_back(std::move(one));
      }
    }
  }
  std::stable_sort(out.begin(), out.end(), [](Weakness const& a, Weakness const& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.name < b.name;
  });
  return out;
}

std::vector<Mend> mends(Topology topology, std::size_t most) {
  std::vector<Mend> out;
  while (out.size() < most) {
    auto const found = weaknesses(topology);
    auto const first = std::find_if(found.begin(), found.end(), [](Weakness const& one) { return one.mend; });
    if (first == found.end()) {
      break;
    }
    out.push_back(*first->mend);
    topology.links.push_back({first->mend->a, first->mend->b, first->mend->cost, topology.mesh.mtu});
  }
  return out;
}

std::string to_text(Weakness const& weakness) {
  std::string out = weakness.kind == Weakness::Kind::nothing
                        ? "the mesh as it stands"
                        : std::string("the loss of ") + name_of(weakness.kind) + " " + weakness.name;
  if (weakness.cut_off_count != 0) {
    out += " cuts off" + list_of(weakness.cut_off, weakness.cut_off_count) + within(weakness.area);
  }
  if (!weakness.silenced.empty()) {
    out += weakness.cut_off_count != 0 ? ", and takes every node of" : " takes every node of";
    out += list_of(weakness.silenced, weakness.silenced.size());
    out += "; give it a node elsewhere";
  }
  if (weakness.mend) {
    out += weakness.parts > 2 ? "; a first of " + std::to_string(weakness.parts - 1) + " links that would mend it is "
                              : "; the cheapest link that would mend it is ";
    out += weakness.mend->a + "--" + weakness.mend->b;
  } else if (weakness.cut_off_count != 0 && is_edge_area(weakness.area)) {
    out += "; OSPF leaves an area through its borders alone: give it another one, or a link to one in the area";
  } else if (weakness.cut_off_count != 0) {
    out += "; no link would mend it, for no two of the separated nodes can reach each other";
  }
  return out;
}

}  // namespace proof
