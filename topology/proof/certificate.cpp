#include "topology/proof/certificate.hpp"

#include "base/result/result.hpp"
#include "topology/proof/areas.hpp"
#include "topology/proof/mend.hpp"

#include <boost/json.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace proof {
namespace {

namespace json = boost::json;
using topology::Graph;

constexpr std::uint32_t none = 0xffffffffU;

std::string sha256(std::string const& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += digits[digest[i] >> 4U];
    out += digits[digest[i] & 0xfU];
  }
  return out;
}

std::string text_of(Graph const& graph, std::vector<Group> const& groups, std::vector<Reliance> const& reliances,
                    std::vector<AreaGraph> const& areas) {
  std::string out;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    out += "node " + graph.name(i) + "\n";
  }
  for (auto const& link : graph.links()) {
    out += "link " + link.a + " " + link.b + "\n";
  }
  for (auto const& group : groups) {
    out += std::string("group ") + name_of(group.kind) + " " + group.name + "\n";
    for (auto const node : group.nodes) {
      out += "has " + graph.name(node) + "\n";
    }
    for (auto const link : group.links) {
      out += "hangs " + graph.links()[link].a + " " + graph.links()[link].b + "\n";
    }
  }
  for (auto const& reliance : reliances) {
    out += std::string("reliance ") + name_of(reliance.kind) + " " + reliance.name + "\n";
    for (auto const node : reliance.nodes) {
      out += "has " + graph.name(node) + "\n";
    }
  }
  for (auto const& area : areas) {
    out += "area " + area.area + "\n";
    for (auto const& link : area.graph.links()) {
      if (link.b != name_of_the_backbone) {
        out += "within " + link.a + " " + link.b + "\n";
      }
    }
  }
  return out;
}

// Tarjan's two passes (Two streamlined depth-first search algorithms, 1986) over a biconnected graph of three nodes or
// more: a depth-first search, then every node put before or after its parent by where its low point stands.
class StNumbering {
 public:
  explicit StNumbering(Graph const& graph)
      : graph_(graph), number_(graph.size(), none), parent_(graph.size(), none), low_(graph.size(), none) {}

  std::vector<std::uint32_t> run() {
    search();
    std::uint32_t const first = preorder_[0];
    std::uint32_t const last = preorder_[1];
    std::vector<bool> plus(graph_.size(), false);
    std::list<std::uint32_t> order{first, last};
    std::vector<std::list<std::uint32_t>::iterator> place(graph_.size(), order.end());
    place[first] = order.begin();
    place[last] = std::next(order.begin());
    for (std::size_t i = 2; i < preorder_.size(); ++i) {
      auto const node = preorder_[i];
      auto const parent = parent_[node];
      bool const before = !plus[low_[node]];
      place[node] = order.insert(before ? place[parent] : std::next(place[parent]), node);
      plus[parent] = before;
    }
    return {order.begin(), order.end()};
  }

 private:
  struct Visit {
    std::uint32_t node;
    std::size_t next_edge;
  };

  void enter(std::uint32_t node, std::uint32_t parent) {
    number_[node] = static_cast<std::uint32_t>(preorder_.size());
    preorder_.push_back(node);
    parent_[node] = parent;
    low_[node] = node;
    stack_.push_back({node, 0});
  }

  void lower(std::uint32_t node, std::uint32_t to) {
    if (number_[to] < number_[low_[node]]) {
      low_[node] = to;
    }
  }

  void search() {
    enter(0, none);
    while (!stack_.empty()) {
      auto& visit = stack_.back();
      auto const& edges = graph_.edges(visit.node);
      if (visit.next_edge == edges.size()) {
        auto const left = visit.node;
        stack_.pop_back();
        if (!stack_.empty()) {
          lower(stack_.back().node, low_[left]);
        }
        continue;
      }
      auto const to = edges[visit.next_edge++].to;
      if (number_[to] == none) {
        enter(to, visit.node);
      } else if (to != parent_[visit.node]) {
        lower(visit.node, to);
      }
    }
    ASSERT(preorder_.size() == graph_.size());
  }

  Graph const& graph_;
  std::vector<std::uint32_t> number_;  // in the order of the search
  std::vector<std::uint32_t> parent_;
  std::vector<std::uint32_t> low_;  // a node
  std::vector<std::uint32_t> preorder_;
  std::vector<Visit> stack_;
};

void add_order(Graph const& graph, json::object& out) {
  json::array back;
  json::array onward;
  auto const order = graph.size() < 3 ? std::vector<std::uint32_t>{} : StNumbering(graph).run();
  std::vector<std::uint32_t> place(graph.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
  }
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    std::uint32_t earlier = none;
    std::uint32_t later = none;
    for (auto const& edge : graph.edges(order[i])) {
      (place[edge.to] < i ? earlier : later) = edge.link;
    }
    ASSERT((i == 0 || earlier != none) && (i + 1 == order.size() || later != none));
    if (i > 0) {
      back.emplace_back(earlier);
    }
    if (i + 1 < order.size()) {
      onward.emplace_back(later);
    }
  }
  out["order"] = json::value_from(order);
  out["back"] = std::move(back);
  out["onward"] = std::move(onward);
}

// Breadth first from the first node that remains; the link by which each further one was found.
json::array tree_without(Graph const& graph, Loss const& loss) {
  json::array out;
  std::vector<bool> seen = loss.nodes;
  std::vector<std::uint32_t> queue;
  for (std::uint32_t i = 0; i < graph.size() && queue.empty(); ++i) {
    if (!seen[i]) {
      queue.push_back(i);
      seen[i] = true;
    }
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (auto const& edge : graph.edges(queue[i])) {
      if (!seen[edge.to] && !loss.links[edge.link]) {
        seen[edge.to] = true;
        queue.push_back(edge.to);
        out.emplace_back(edge.link);
      }
    }
  }
  return out;
}

json::array survivors_of(Reliance const& reliance, std::vector<Loss> const& losses) {
  json::array out;
  for (auto const& loss : losses) {
    bool hit = false;
    std::uint32_t survivor = none;
    for (auto const node : reliance.nodes) {
      hit = hit || loss.nodes[node];
      survivor = loss.nodes[node] ? survivor : node;
    }
    if (hit) {
      out.emplace_back(survivor);
    }
  }
  return out;
}

json::array trees_of(Graph const& graph, std::vector<Group> const& groups) {
  json::array out;
  for (auto const& group : groups) {
    out.emplace_back(tree_without(graph, loss_of(group, graph)));
  }
  return out;
}

// What shows that an area holds together, in the numbers of its own graph.
json::object part_of(AreaGraph const& area, Graph const& whole) {
  std::map<std::pair<std::string_view, std::string_view>, std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < whole.links().size(); ++i) {
    numbers.emplace(std::pair<std::string_view, std::string_view>(whole.links()[i].a, whole.links()[i].b), i);
  }
  json::array links;
  for (auto const& link : area.graph.links()) {
    if (link.b != name_of_the_backbone) {
      links.emplace_back(numbers.at({link.a, link.b}));
    }
  }
  json::object out;
  out["area"] = area.area;
  out["links"] = std::move(links);
  add_order(area.graph, out);
  out["trees"] = trees_of(area.graph, area.groups);
  return out;
}

// Nodes by name, links by the names of their ends, as a certificate lists them.
Graph graph_in_order(topology::Topology const& topology) {
  auto nodes = topology.platform_nodes();
  auto links = topology.links;
  std::sort(nodes.begin(), nodes.end(), [](auto const& x, auto const& y) { return x.name < y.name; });
  std::sort(links.begin(), links.end(),
            [](auto const& x, auto const& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
  return Graph(nodes, links);
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> ends_of_links(Graph const& graph) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> out(graph.links().size());
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    for (auto const& edge : graph.edges(node)) {
      out[edge.link] = std::minmax(node, edge.to);
    }
  }
  return out;
}

}  // namespace

boost::system::result<std::string, std::vector<Weakness>> prove(topology::Topology const& topology) {
  if (auto weak = weaknesses(topology); !weak.empty()) {
    return weak;
  }
  auto const graph = graph_in_order(topology);
  auto const groups = groups_of(topology, graph);
  auto const reliances = reliances_of(topology, graph);
  auto const areas = areas_of(topology);
  json::object out;
  out["format"] = "sovereign-mesh-proof-1";
  out["topology"] = topology.name;
  out["digest"] = sha256(text_of(graph, groups, reliances, areas));
  json::array nodes;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    nodes.emplace_back(graph.name(i));
  }
  out["nodes"] = std::move(nodes);
  json::array links;
  for (auto const& [a, b] : ends_of_links(graph)) {
    links.emplace_back(json::array{a, b});
  }
  out["links"] = std::move(links);
  json::array groups_out;
  std::vector<Loss> losses;
  for (auto const& group : groups) {
    groups_out.emplace_back(json::object{{"kind", name_of(group.kind)},
                                         {"name", group.name},
                                         {"nodes", json::value_from(group.nodes)},
                                         {"links", json::value_from(group.links)}});
    losses.push_back(loss_of(group, graph));
  }
  out["groups"] = std::move(groups_out);
  json::array reliances_out;
  json::array survivors;
  for (auto const& reliance : reliances) {
    reliances_out.emplace_back(json::object{
        {"kind", name_of(reliance.kind)}, {"name", reliance.name}, {"nodes", json::value_from(reliance.nodes)}});
    survivors.emplace_back(survivors_of(reliance, losses));
  }
  out["reliances"] = std::move(reliances_out);
  add_order(graph, out);
  out["trees"] = trees_of(graph, groups);
  out["survivors"] = std::move(survivors);
  if (!areas.empty()) {
    json::array parts;
    for (auto const& area : areas) {
      parts.emplace_back(part_of(area, graph));
    }
    out["areas"] = std::move(parts);
  }
  return json::serialize(out) + "\n";
}

}  // namespace proof
