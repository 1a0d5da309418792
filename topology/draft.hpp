// A topology while it is read: the values, and beside each the cursor it came from, so that a check which needs the
// whole file can still point at the right line. Internal to this module.
//
// Threads: as config::Reader.
#pragma once

#include "base/config/reader.hpp"
#include "base/result/problem.hpp"
#include "topology/topology.hpp"

#include <optional>
#include <string>
#include <vector>

namespace topology {

struct Draft {
  explicit Draft(config::Reader reader) : root(std::move(reader)), mesh(root.section("mesh")) {}

  Topology topology;
  config::Reader root;
  config::Reader mesh;
  // Parallel to the vectors of `topology`.
  std::vector<config::Reader> sites;
  std::vector<config::Reader> nodes;
  std::vector<std::vector<config::Reader>> upstreams;  // per node
  std::vector<config::Reader> links;
  std::vector<config::Reader> segments;
  std::vector<config::Reader> services;
  std::vector<config::Reader> clusters;
  std::optional<config::Reader> navigator;
  std::optional<config::Reader> controller;
};

// load_sections.cpp: what is written, each value by itself.
void read_top_level(Draft& draft);
void read_mesh(Draft& draft);
void read_sites(Draft& draft);
void read_nodes(Draft& draft);
void read_links(Draft& draft);
void read_segments(Draft& draft);
void read_services(Draft& draft);
void read_clusters(Draft& draft);
void read_daemons(Draft& draft);

// validate.cpp: names are labels and there once, every reference resolves, what belongs together fits.
void validate_names(Draft& draft);
void validate_references(Draft& draft);
void validate_links(Draft& draft);
void validate_shape(Draft& draft);
void validate_tenancy(Draft& draft);
// After links were completed by the shape: one connected mesh, distinct interface names, no node with too many links.
void validate_mesh(Draft& draft);

// validate_identities.cpp: numbers and ports that people fixed, names of risks, the tour.
void validate_identities(Draft& draft);

// validate_addresses.cpp: nothing is there twice, nothing overlaps.
void validate_addresses(Draft& draft);

}  // namespace topology
