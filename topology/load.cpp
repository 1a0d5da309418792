#include "topology/load.hpp"

#include "base/config/document.hpp"
#include "base/config/reader.hpp"
#include "topology/draft.hpp"
#include "topology/graph.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace topology {
namespace {

void read(Draft& draft) {
  read_top_level(draft);
  read_mesh(draft);
  read_sites(draft);
  read_nodes(draft);
  read_links(draft);
  read_segments(draft);
  read_services(draft);
  read_clusters(draft);
  read_daemons(draft);
  draft.root.finish();
}

// Order is part of the value: two files that say the same in another order are the same topology.
Topology sorted(Topology topology) {
  auto const by_name = [](auto const& a, auto const& b) { return a.name < b.name; };
  std::sort(topology.sites.begin(), topology.sites.end(), by_name);
  std::sort(topology.nodes.begin(), topology.nodes.end(), by_name);
  std::sort(topology.segments.begin(), topology.segments.end(), by_name);
  std::sort(topology.services.begin(), topology.services.end(), by_name);
  std::sort(topology.clusters.begin(), topology.clusters.end(), by_name);
  std::set<std::string> areas;
  for (auto const& node : topology.nodes) {
    areas.insert(node.area);
  }
  for (auto const& link : topology.links) {
    if (!link.area.empty()) {
      areas.insert(link.area);
    }
  }
  for (auto const& area : areas) {
    topology.areas.push_back({area});
  }
  return topology;
}

base::Problems in_order_of_the_file(base::Problems problems) {
  std::stable_sort(problems.begin(), problems.end(), [](base::Problem const& a, base::Problem const& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  return problems;
}

}  // namespace

boost::system::result<Topology, base::Problems> load_topology(std::string_view text, std::string const& source_name) {
  auto const document = config::Document::parse(text, source_name);
  if (!document) {
    return document.error();
  }
  base::Problems problems;
  Draft draft(config::Reader(*document, problems));
  read(draft);
  validate_names(draft);
  validate_references(draft);
  validate_links(draft);
  validate_shape(draft);
  validate_tenancy(draft);
  validate_identities(draft);
  validate_addresses(draft);
  // The mesh is judged only when its parts are right: otherwise each mistake would be told twice.
  if (problems.empty()) {
    apply_shape(draft.topology);
    validate_mesh(draft);
  }
  if (!problems.empty()) {
    return in_order_of_the_file(std::move(problems));
  }
  return sorted(std::move(draft.topology));
}

}  // namespace topology
