#include "base/config/nearest.hpp"
#include "topology/allocation.hpp"
#include "topology/draft.hpp"
#include "topology/values/values.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace topology {
namespace {

using config::quoted;
using config::Reader;

void validate_ids(Draft& draft) {
  auto const& topology = draft.topology;
  std::uint32_t const most = largest_node_id(topology.mesh);
  std::map<std::uint32_t, std::size_t> owners;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    auto const id = topology.nodes[i].id;
    if (id == 0) {
      continue;
    }
    auto const [first, is_new] = owners.emplace(id, i);
    if (!is_new) {
      draft.nodes[i].fail("id",
                          "the id " + std::to_string(id) + " is also that of node " +
                              quoted(topology.nodes[first->second].name) + " on line " +
                              std::to_string(draft.nodes[first->second].place("id").line),
                          "the two would get the same addresses; leave the key out and a free number is given");
    }
    if (id > most) {
      draft.nodes[i].fail("id", "the mesh prefixes have room for ids up to " + std::to_string(most),
                          "a smaller id, or a shorter prefix");
    }
  }
}

void validate_ports(Draft& draft) {
  auto const& topology = draft.topology;
  std::map<std::pair<std::string_view, std::uint16_t>, std::size_t> owners;
  for (std::size_t i = 0; i < topology.links.size(); ++i) {
    auto const& link = topology.links[i];
    for (auto const& [node, port] : {std::pair(&link.a, link.port_a), std::pair(&link.b, link.port_b)}) {
      if (port == 0) {
        continue;
      }
      auto const [first, is_new] = owners.emplace(std::pair<std::string_view, std::uint16_t>(*node, port), i);
      if (!is_new) {
        draft.links[i].fail("ports",
                            "the port " + std::to_string(port) + " of " + quoted(*node) + " is also that of link " +
                                topology.links[first->second].name() + " on line " +
                                std::to_string(draft.links[first->second].place("ports").line),
                            "every link of a node listens at a port of its own");
      }
    }
  }
}

void validate_labels(Reader& reader, std::string_view key, std::vector<std::string> const& names) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && !is_label(names[i])) {
      reader.fail_item(key, i, quoted(names[i]) + " is not a name",
                       "lower-case letters, digits and single hyphens inside, at most 63");
    } else if (!seen.insert(names[i]).second) {
      reader.fail_item(key, i, quoted(names[i]) + " is there twice");
    }
  }
}

void validate_tour(Draft& draft) {
  std::vector<std::string> known;
  for (auto const& site : draft.topology.sites) {
    known.push_back(site.name);
  }
  auto const& tour = draft.topology.mesh.tour;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < tour.size(); ++i) {
    if (std::find(known.begin(), known.end(), tour[i]) == known.end()) {
      draft.mesh.fail_item("tour", i, "no site is named " + quoted(tour[i]), config::nearest_hint(tour[i], known));
    } else if (!seen.insert(tour[i]).second) {
      draft.mesh.fail_item("tour", i, quoted(tour[i]) + " is there twice");
    }
  }
}

}  // namespace

void validate_identities(Draft& draft) {
  validate_ids(draft);
  validate_ports(draft);
  validate_tour(draft);
  for (std::size_t i = 0; i < draft.topology.nodes.size(); ++i) {
    validate_labels(draft.nodes[i], "risks", draft.topology.nodes[i].risks);
  }
  for (std::size_t i = 0; i < draft.topology.links.size(); ++i) {
    validate_labels(draft.links[i], "risks", draft.topology.links[i].risks);
  }
}

}  // namespace topology
