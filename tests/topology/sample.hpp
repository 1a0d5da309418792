// Small topologies for the tests of this folder.
#pragma once

#include "topology/graph.hpp"
#include "topology/load.hpp"
#include "topology/topology.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

namespace sample {

inline std::string read_file(std::string const& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string three_sites_text() {
  return read_file(std::string(SOURCE_DIR) + "/lab/scenarios/three-sites/topology.yaml");
}

inline topology::Topology load(std::string const& text) {
  auto const loaded = topology::load_topology(text, "t.yaml");
  if (!loaded) {
    ADD_FAILURE() << base::text(loaded.error());
    return {};
  }
  return *loaded;
}

inline std::string problems(std::string const& text) {
  auto const loaded = topology::load_topology(text, "t.yaml");
  return loaded ? std::string() : base::text(loaded.error());
}

// n1, n2, ... in sites s1, s2, s3 of providers p1 and p2, linked at random.
inline topology::Topology random_topology(std::mt19937& random, int most_nodes) {
  topology::Topology out;
  out.mesh.prefix4 = boost::asio::ip::make_network_v4("10.200.0.0/16");
  out.mesh.prefix6 = boost::asio::ip::make_network_v6("fd00::/48");
  auto const pick = [&](int least, int most) { return std::uniform_int_distribution<int>(least, most)(random); };
  out.sites = {{"s1", "p1", {}, {}}, {"s2", "p1", {}, {}}, {"s3", "p2", {}, {}}};
  int const count = pick(1, most_nodes);
  for (int i = 1; i <= count; ++i) {
    topology::Node node;
    node.name = "n" + std::to_string(i);
    node.site = "s" + std::to_string(pick(1, 3));
    node.area = "0.0.0.0";
    out.nodes.push_back(node);
  }
  std::sort(out.nodes.begin(), out.nodes.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
  int const density = pick(10, 80);
  for (std::size_t i = 0; i < out.nodes.size(); ++i) {
    for (std::size_t j = i + 1; j < out.nodes.size(); ++j) {
      if (pick(0, 99) < density) {
        out.links.push_back(
            {out.nodes[i].name, out.nodes[j].name, static_cast<std::uint32_t>(pick(1, 5)), out.mesh.mtu});
      }
    }
  }
  return out;
}

}  // namespace sample
