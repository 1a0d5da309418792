#include "routing/repair_links/repair_links.hpp"

#include "routing/repair_links/cases.hpp"
#include "topology/graph.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

namespace repair_links {
namespace {

using topology::Allocation;
using topology::Link;
using topology::Role;
using topology::Topology;
using Number = std::uint32_t;

Link link_between(Topology const& topology, std::string const& one, std::string const& other) {
  Link out;
  out.a = std::min(one, other);
  out.b = std::max(one, other);
  out.cost = cost;
  out.mtu = topology.mesh.mtu;
  out.cost_by_hand = true;
  out.repair = true;
  return out;
}

// The nodes whose repair links may come and go. Empty: all of them.
std::set<std::string> changed_nodes(Topology const& topology, Allocation const& previous) {
  std::set<std::string> out;
  bool any_repair = false;
  std::set<std::string> links;
  for (auto const& link : topology.links) {
    links.insert(link.name());
    auto const before = previous.links.find(link.name());
    if (before == previous.links.end() || before->second.removed_at != 0 || before->second.repair) {
      out.insert({link.a, link.b});
    }
  }
  for (auto const& [name, identity] : previous.links) {
    any_repair = any_repair || (identity.repair && identity.removed_at == 0);
    if (identity.removed_at == 0 && !identity.repair && !links.contains(name)) {
      auto const middle = name.find("--");
      out.insert({name.substr(0, middle), name.substr(middle + 2)});
    }
  }
  return any_repair ? out : std::set<std::string>{};
}

class Chooser {
 public:
  Chooser(Topology const& topology, Allocation const& previous)
      : topology_(topology), nodes_(topology.platform_nodes()), cases_(topology, nodes_) {
    auto const changed = changed_nodes(topology, previous);
    free_.assign(nodes_.size(), changed.empty());
    ranked_ = std::any_of(nodes_.begin(), nodes_.end(), [](auto const& node) { return node.role != Role::edge; });
    for (Number i = 0; i < nodes_.size(); ++i) {
      free_[i] = free_[i] || changed.contains(nodes_[i].name);
    }
    chosen_of_.resize(nodes_.size());
    names_.resize(nodes_.size());
    for (auto const& link : topology.links) {
      note_names(link);
    }
    for (auto const& link : chosen_in(topology, previous)) {
      kept_.push_back(link);
    }
  }

  Choice run() {
    Choice out;
    out.cases = cases_.count();
    out.covered = cases_.covered();
    for (auto const& link : kept_) {
      auto const a = cases_.graph().index(link.a);
      auto const b = cases_.graph().index(link.b);
      // One that is of no use goes, but not on account of what happens elsewhere.
      bool const stays = a && b && may_be(*a, *b) && ((!free_[*a] && !free_[*b]) || cases_.gain(*a, *b) > 0);
      if (stays) {
        take(*a, *b, out);
      }
    }
    fill(out);
    out.covered_with = cases_.covered();
    return out;
  }

 private:
  // What a pair brings only falls while others are taken, so a gain that is still the largest after it was worked out
  // anew is the largest.
  void fill(Choice& out) {
    using Item = std::tuple<std::size_t, Number, Number>;  // gain, and the later pair first of equal ones
    std::priority_queue<Item> queue;
    auto const last = static_cast<Number>(nodes_.size());
    for (Number a = 0; a < last; ++a) {
      for (Number b = a + 1; b < last; ++b) {
        auto const gain = (free_[a] || free_[b]) && may_be(a, b) ? cases_.gain(a, b) : 0;
        if (gain > 0) {
          queue.emplace(gain, last - a, last - b);
        }
      }
    }
    while (!queue.empty()) {
      auto const [gain, from_a, from_b] = queue.top();
      queue.pop();
      Number const a = last - from_a;
      Number const b = last - from_b;
      auto const now = may_be(a, b) ? cases_.gain(a, b) : 0;
      if (now == gain) {
        take(a, b, out);
      } else if (now > 0) {
        queue.emplace(now, from_a, from_b);
      }
    }
  }

  // Limits first: they are cheap.
  [[nodiscard]] bool may_be(Number a, Number b) const {
    auto const full = [&](Number node) {
      auto const own = chosen_of_[node].size();
      return own >= most_per_node || cases_.graph().edges(node).size() + own >= topology_.mesh.links_per_node;
    };
    auto const& one = nodes_[a];
    auto const& other = nodes_[b];
    bool const edges = ranked_ && one.role == Role::edge && other.role == Role::edge;
    if (edges || full(a) || full(b) || chosen_of_[a].contains(b) || cases_.adjacent(a, b) ||
        cases_.distance(a, b) > most_distance || !topology::can_link(one, other)) {
      return false;
    }
    auto const link = link_between(topology_, one.name, other.name);
    return !names_[a].contains(topology::interface_name(link, one.name)) &&
           !names_[b].contains(topology::interface_name(link, other.name));
  }

  void take(Number a, Number b, Choice& out) {
    auto const link = link_between(topology_, nodes_[a].name, nodes_[b].name);
    chosen_of_[a].insert(b);
    chosen_of_[b].insert(a);
    note_names(link);
    out.links.push_back({link, cases_.take(a, b)});
  }

  void note_names(Link const& link) {
    for (auto const& end : {link.a, link.b}) {
      if (auto const node = cases_.graph().index(end)) {
        names_[*node].insert(topology::interface_name(link, end));
      }
    }
  }

  Topology const& topology_;
  std::vector<topology::Node> nodes_;
  Cases cases_;
  std::vector<bool> free_;
  bool ranked_ = false;
  std::vector<std::set<Number>> chosen_of_;
  std::vector<std::set<std::string>> names_;  // of interfaces, by node
  std::vector<Link> kept_;
};

}  // namespace

Choice choose(Topology const& topology, Allocation const& previous) {
  Choice out;
  if (topology.areas.size() > 1) {
    out.why_none = "the mesh has several areas";
  } else if (topology.platform_nodes().size() > most_nodes) {
    out.why_none = "the mesh has more than " + std::to_string(most_nodes) + " nodes";
  } else {
    return Chooser(topology, previous).run();
  }
  return out;
}

std::vector<Link> chosen_in(Topology const& topology, Allocation const& allocation) {
  std::vector<Link> out;
  if (!topology.mesh.repair_links) {
    return out;
  }
  std::set<std::string> platform;
  std::set<std::string> links;
  for (auto const& node : topology.platform_nodes()) {
    platform.insert(node.name);
  }
  for (auto const& link : topology.links) {
    links.insert(link.name());
  }
  for (auto const& [name, identity] : allocation.links) {
    auto const middle = name.find("--");
    auto const a = name.substr(0, middle);
    auto const b = name.substr(middle + 2);
    if (identity.repair && identity.removed_at == 0 && platform.contains(a) && platform.contains(b) &&
        !links.contains(name)) {
      out.push_back(link_between(topology, a, b));
    }
  }
  return out;
}

void add(Topology& topology, std::vector<Link> const& links) {
  topology.links.insert(topology.links.end(), links.begin(), links.end());
  std::sort(topology.links.begin(), topology.links.end(),
            [](Link const& x, Link const& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
}

Topology without(Topology topology) {
  std::erase_if(topology.links, [](Link const& link) { return link.repair; });
  return topology;
}

void complete(Topology& topology, Allocation const& previous, bool unchanged) {
  if (!topology.mesh.repair_links) {
    return;
  }
  if (unchanged) {
    add(topology, chosen_in(topology, previous));
    return;
  }
  std::vector<Link> links;
  for (auto const& chosen : choose(topology, previous).links) {
    links.push_back(chosen.link);
  }
  add(topology, links);
}

}  // namespace repair_links
