#include "base/config/nearest.hpp"
#include "topology/allocation.hpp"
#include "topology/draft.hpp"
#include "topology/graph.hpp"
#include "topology/values/values.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace topology {
namespace {

using config::quoted;
using config::Reader;

// Above, hello and BFD packets, flooding and the count of devices a node grow beyond what a mesh gives back.
constexpr std::size_t most_nodes_in_full_mesh = 100;

// Every name is a label and there once; the second of two is told where the first is.
template <class T>
void names_of(std::vector<T> const& values, std::vector<Reader>& readers, std::string const& what) {
  std::map<std::string, int> lines;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto const& name = values[i].name;
    if (name.empty()) {
      continue;
    }
    if (!is_label(name)) {
      readers[i].fail("name", quoted(name) + " is not a name",
                      "lower-case letters, digits and single hyphens inside, at most 63");
    }
    auto const [first, is_new] = lines.emplace(name, readers[i].place("name").line);
    if (!is_new) {
      readers[i].fail("name", "two " + what + "s are named " + quoted(name),
                      "the other is on line " + std::to_string(first->second));
    }
  }
}

template <class T>
std::vector<std::string> known_names(std::vector<T> const& values) {
  std::vector<std::string> out;
  for (auto const& value : values) {
    out.push_back(value.name);
  }
  return out;
}

// Checks references to one kind of thing.
class References {
 public:
  References(std::vector<std::string> known, std::string what) : known_(std::move(known)), what_(std::move(what)) {
    set_.insert(known_.begin(), known_.end());
  }

  void one(Reader& reader, std::string_view key, std::string const& name) const {
    if (!name.empty() && !set_.contains(name)) {
      reader.fail(key, message(name), config::nearest_hint(name, known_));
    }
  }

  // Each resolves, and none is there twice.
  void list(Reader& reader, std::string_view key, std::vector<std::string> const& names) const {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) {
        continue;
      }
      if (!set_.contains(names[i])) {
        reader.fail_item(key, i, message(names[i]), config::nearest_hint(names[i], known_));
      } else if (!seen.insert(names[i]).second) {
        reader.fail_item(key, i, quoted(names[i]) + " is there twice");
      }
    }
  }

  void some(Reader& reader, std::string_view key, std::vector<std::string> const& names) const {
    if (names.empty()) {
      reader.fail(key, "no " + what_ + " is named", std::string(key) + ": [one, other]");
    }
    list(reader, key, names);
  }

 private:
  [[nodiscard]] std::string message(std::string const& name) const {
    return "no " + what_ + " is named " + quoted(name);
  }

  std::vector<std::string> known_;
  std::set<std::string> set_;
  std::string what_;
};

void validate_cluster(Topology const& topology, Cluster const& cluster, Reader& reader) {
  for (std::size_t i = 0; i < cluster.nodes.size(); ++i) {
    auto const* const node = topology.node(cluster.nodes[i]);
    if (node == nullptr) {
      continue;
    }
    if (node->site != cluster.site) {
      reader.fail_item("nodes", i,
                       quoted(node->name) + " is at site " + quoted(node->site) + ", not at " + quoted(cluster.site));
    }
    if (node->public_addresses.empty()) {
      reader.fail_item("nodes", i, quoted(node->name) + " has no public address that DNS could answer",
                       "give the node public: [ADDRESS]");
    }
  }
  if (!cluster.nodes.empty() && cluster.minimum_origins > cluster.nodes.size()) {
    reader.fail("minimum_origins", "the cluster has only " + std::to_string(cluster.nodes.size()) + " nodes");
  }
}

// A link crosses into the backbone or stays in its area: OSPF knows no other way (RFC 2328, 3.1).
void validate_area(Topology const& topology, Link const& link, Reader& reader) {
  auto const* const a = topology.node(link.a);
  auto const* const b = topology.node(link.b);
  if (a != nullptr && b != nullptr && a->area != b->area && a->area != Area{}.id && b->area != Area{}.id) {
    reader.fail("ends", "the ends are in the areas " + a->area + " and " + b->area + ", and neither is the backbone",
                "give one of them the area 0.0.0.0");
  }
}

void forbid_segment_nodes(Topology const& topology, Reader& reader, std::string_view key,
                          std::vector<std::string> const& names, std::string const& why) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (auto const* const segment = topology.segment_of(names[i])) {
      reader.fail_item(key, i, quoted(names[i]) + " belongs to the segment " + quoted(segment->name) + ", " + why);
    }
  }
}

}  // namespace

void validate_names(Draft& draft) {
  auto& topology = draft.topology;
  if (!topology.name.empty() && !is_label(topology.name)) {
    draft.root.fail("name", quoted(topology.name) + " is not a name",
                    "lower-case letters, digits and single hyphens inside, at most 63");
  }
  names_of(topology.sites, draft.sites, "site");
  names_of(topology.nodes, draft.nodes, "node");
  names_of(topology.segments, draft.segments, "segment");
  names_of(topology.services, draft.services, "service");
  names_of(topology.clusters, draft.clusters, "cluster");
}

void validate_references(Draft& draft) {
  auto const& topology = draft.topology;
  References const sites(known_names(topology.sites), "site");
  References const nodes(known_names(topology.nodes), "node");
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    sites.one(draft.nodes[i], "site", topology.nodes[i].site);
  }
  for (std::size_t i = 0; i < topology.segments.size(); ++i) {
    nodes.list(draft.segments[i], "nodes", topology.segments[i].nodes);
    nodes.some(draft.segments[i], "gateways", topology.segments[i].gateways);
  }
  for (std::size_t i = 0; i < topology.services.size(); ++i) {
    nodes.some(draft.services[i], "nodes", topology.services[i].nodes);
  }
  for (std::size_t i = 0; i < topology.clusters.size(); ++i) {
    sites.one(draft.clusters[i], "site", topology.clusters[i].site);
    nodes.some(draft.clusters[i], "nodes", topology.clusters[i].nodes);
    validate_cluster(topology, topology.clusters[i], draft.clusters[i]);
  }
  if (draft.navigator) {
    nodes.one(*draft.navigator, "primary", topology.navigator->primary);
    nodes.list(*draft.navigator, "replicas", topology.navigator->replicas);
    auto const& replicas = topology.navigator->replicas;
    auto const same = std::find(replicas.begin(), replicas.end(), topology.navigator->primary);
    if (same != replicas.end() && !same->empty()) {
      draft.navigator->fail_item("replicas", static_cast<std::size_t>(same - replicas.begin()),
                                 "the primary cannot be a replica of itself");
    }
  }
  if (draft.controller) {
    nodes.one(*draft.controller, "node", topology.controller->node);
  }
}

void validate_links(Draft& draft) {
  auto const& topology = draft.topology;
  auto const known = known_names(topology.nodes);
  std::set<std::string_view> const names(known.begin(), known.end());
  std::map<std::string, int> lines;
  for (std::size_t i = 0; i < topology.links.size(); ++i) {
    auto const& link = topology.links[i];
    auto& reader = draft.links[i];
    if (link.a.empty() || link.b.empty()) {
      continue;
    }
    auto const written = reader.texts("ends");
    for (std::size_t end = 0; end < written.size(); ++end) {
      if (!names.contains(written[end])) {
        reader.fail_item("ends", end, "no node is named " + quoted(written[end]),
                         config::nearest_hint(written[end], known));
      }
    }
    if (link.a == link.b) {
      reader.fail("ends", quoted(link.a) + " cannot be linked to itself");
      continue;
    }
    auto const [first, is_new] = lines.emplace(link.name(), reader.place("ends").line);
    if (!is_new) {
      reader.fail("ends", quoted(link.a) + " and " + quoted(link.b) + " are linked twice",
                  "the other link is on line " + std::to_string(first->second));
    }
    auto const* const a = topology.node(link.a);
    auto const* const b = topology.node(link.b);
    if (a != nullptr && b != nullptr && !can_link(*a, *b)) {
      reader.fail("ends", "neither end can reach the other: no underlay address of a common family",
                  "give one of them an underlay address");
    }
    validate_area(topology, link, reader);
  }
}

void validate_shape(Draft& draft) {
  auto const nodes = draft.topology.platform_nodes();
  auto const shape = draft.topology.mesh.shape;
  if (shape == Shape::full && nodes.size() > most_nodes_in_full_mesh) {
    draft.mesh.fail("shape",
                    "the shape full is for at most " + std::to_string(most_nodes_in_full_mesh) + " nodes, here are " +
                        std::to_string(nodes.size()),
                    "use tiers, cycles, or links");
  }
  bool const has_central =
      std::any_of(nodes.begin(), nodes.end(), [](Node const& node) { return node.role == Role::central; });
  if ((shape == Shape::hub || shape == Shape::tiers) && !has_central) {
    draft.mesh.fail(
        "shape",
        std::string("the shape ") + (shape == Shape::hub ? "hub" : "tiers") + " needs nodes of the role central",
        "give two nodes at different sites role: central");
  }
}

void validate_tenancy(Draft& draft) {
  auto const& topology = draft.topology;
  std::map<std::string, std::string> segment_of;
  for (std::size_t i = 0; i < topology.segments.size(); ++i) {
    auto const& segment = topology.segments[i];
    auto& reader = draft.segments[i];
    if (!segment.prefix4 && !segment.prefix6) {
      reader.fail("", "a segment needs prefix4, prefix6 or both");
    }
    for (std::size_t n = 0; n < segment.nodes.size(); ++n) {
      auto const [first, is_new] = segment_of.emplace(segment.nodes[n], segment.name);
      if (!is_new && first->second != segment.name) {
        reader.fail_item("nodes", n, quoted(segment.nodes[n]) + " is in the segment " + quoted(first->second) + " too");
      }
    }
    forbid_segment_nodes(topology, reader, "gateways", segment.gateways, "and a gateway is a node of the platform");
  }
  std::string const not_platform = "which is not part of the platform's mesh";
  for (std::size_t i = 0; i < topology.links.size(); ++i) {
    forbid_segment_nodes(topology, draft.links[i], "ends", draft.links[i].texts("ends"), not_platform);
  }
  for (std::size_t i = 0; i < topology.services.size(); ++i) {
    forbid_segment_nodes(topology, draft.services[i], "nodes", topology.services[i].nodes, not_platform);
  }
  for (std::size_t i = 0; i < topology.clusters.size(); ++i) {
    forbid_segment_nodes(topology, draft.clusters[i], "nodes", topology.clusters[i].nodes, not_platform);
  }
  auto const forbid_one = [&](Reader& reader, std::string_view key, std::string const& name) {
    if (auto const* const segment = topology.segment_of(name)) {
      reader.fail(key, quoted(name) + " belongs to the segment " + quoted(segment->name) + ", " + not_platform);
    }
  };
  if (draft.navigator) {
    forbid_one(*draft.navigator, "primary", topology.navigator->primary);
    forbid_segment_nodes(topology, *draft.navigator, "replicas", topology.navigator->replicas, not_platform);
  }
  if (draft.controller) {
    forbid_one(*draft.controller, "node", topology.controller->node);
  }
}

namespace {

// A node of the largest part to which the lonely one could be linked: at its own site, if there is one.
std::string link_hint(Topology const& topology, Graph const& graph, std::vector<std::uint32_t> const& part,
                      std::string const& lonely) {
  auto const* const from = topology.node(lonely);
  std::string best;
  for (auto const number : part) {
    auto const* const to = topology.node(graph.name(number));
    if (from == nullptr || to == nullptr || !can_link(*from, *to)) {
      continue;
    }
    if (to->site == from->site) {
      best = to->name;
      break;
    }
    best = best.empty() ? to->name : best;
  }
  return best.empty() ? "give it an underlay address of a family that others have, and a link"
                      : "add a link, for instance {ends: [" + lonely + ", " + best + "]}";
}

using Readers = std::map<std::string_view, Reader*>;
// Says it of each node that no path joins to the first one's part; false: there is none.
template <class Hint>
bool tell_apart(Graph const& graph, Readers const& readers, char const* field, std::string const& what, Hint hint) {
  auto const parts = graph.parts(std::vector<bool>(graph.size(), false), Graph::no_link);
  for (std::size_t part = 1; part < parts.size(); ++part) {
    for (auto const node : parts[part]) {
      auto const& name = graph.name(node);
      std::string const way = " from " + quoted(name) + " to " + quoted(graph.name(parts[0][0]));
      readers.at(name)->fail(field, what + way, hint(parts[0], name));
    }
  }
  return parts.size() > 1;
}

void validate_one_mesh(Draft& draft, Readers const& readers) {
  auto const& topology = draft.topology;
  auto nodes = topology.platform_nodes();
  auto links = topology.links;
  Graph const graph(nodes, links);
  auto const join = [&](auto const& first, auto const& name) { return link_hint(topology, graph, first, name); };
  bool const apart = tell_apart(graph, readers, "name", "no path of links leads", join);
  // Routes between areas go through the backbone alone (RFC 2328, 3.1): no other area joins nodes of it.
  std::erase_if(nodes, [](Node const& node) { return !node.area.empty() && node.area != Area{}.id; });
  std::erase_if(links, [&](Link const& link) { return topology.area_of(link) != Area{}.id; });
  if (!apart) {
    tell_apart(Graph(nodes, links), readers, "area", "both are in the backbone, and no links of it lead",
               [](auto const&, auto const&) { return "join it by links of its own, or give the node another area"; });
  }
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    if (graph.edges(node).size() > topology.mesh.links_per_node) {
      readers.at(graph.name(node))
          ->fail("name",
                 quoted(graph.name(node)) + " would have " + std::to_string(graph.edges(node).size()) +
                     " links, more than links_per_node, " + std::to_string(topology.mesh.links_per_node),
                 "add nodes of its role, or raise mesh.links_per_node if the machine can hold them");
    }
  }
}

}  // namespace

void validate_mesh(Draft& draft) {
  auto const& topology = draft.topology;
  Readers readers;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    readers.emplace(topology.nodes[i].name, &draft.nodes[i]);
  }
  validate_one_mesh(draft, readers);
  std::map<std::pair<std::string, std::string>, std::string> interfaces;  // by node and name
  for (auto const& link : topology.links) {
    for (auto const& end : {link.a, link.b}) {
      auto const name = interface_name(link, end);
      auto const [first, is_new] = interfaces.emplace(std::pair(end, name), link.name());
      if (!is_new) {
        readers.at(end)->fail(
            "name", "the links " + first->second + " and " + link.name() + " would get the same interface name " + name,
            "rename one of the peers");
      }
    }
  }
}

}  // namespace topology
