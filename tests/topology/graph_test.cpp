#include "topology/graph.hpp"

#include "tests/topology/sample.hpp"

#include <gmock/gmock.h>

#include <set>

namespace {

using ::testing::ElementsAre;
using topology::Graph;
using topology::Link;
using topology::Mesh;
using topology::Node;
using topology::Role;
using topology::Shape;
using topology::Topology;

Node node(std::string name, std::string site, Role role = Role::edge, bool reachable = true) {
  Node out;
  out.name = std::move(name);
  out.site = std::move(site);
  out.role = role;
  if (reachable) {
    out.underlay = {boost::asio::ip::make_address("192.0.2.1")};
  }
  return out;
}

std::vector<std::string> names(std::vector<Link> const& links) {
  std::vector<std::string> out;
  for (auto const& link : links) {
    out.push_back(link.name());
  }
  return out;
}

TEST(BuildLinks, ShapeLinksTakesOnlyWhatIsWritten) {
  Mesh mesh;
  mesh.shape = Shape::links;
  auto const links = topology::build_links(mesh, {node("a", "s"), node("b", "s")}, {{"a", "b", 7, 1300}});
  EXPECT_THAT(links, ElementsAre(Link{"a", "b", 7, 1300}));
}

TEST(BuildLinks, FullLinksEveryPairAndHandWins) {
  Mesh mesh;
  mesh.shape = Shape::full;
  auto const links =
      topology::build_links(mesh, {node("c", "t"), node("a", "s"), node("b", "s")}, {{"a", "c", 77, 1300}});
  EXPECT_THAT(links, ElementsAre(Link{"a", "b", 5, 1420}, Link{"a", "c", 77, 1300}, Link{"b", "c", 10, 1420}));
}

TEST(BuildLinks, FullLeavesOutPairsThatCannotReachEachOther) {
  Mesh mesh;
  auto const links = topology::build_links(
      mesh, {node("a", "s"), node("b", "s", Role::edge, false), node("c", "s", Role::edge, false)}, {});
  EXPECT_THAT(names(links), ElementsAre("a--b", "a--c"));
}

TEST(BuildLinks, HubDualHomesEdgesToHubsAtTwoSites) {
  Mesh mesh;
  mesh.shape = Shape::hub;
  std::vector<Node> nodes;
  for (auto const* site : {"ams", "nyc", "sin"}) {
    nodes.push_back(node(std::string("hub-") + site + "-1", site, Role::central));
    nodes.push_back(node(std::string("hub-") + site + "-2", site, Role::central));
    for (int i = 0; i < 10; ++i) {
      nodes.push_back(node(std::string("edge-") + site + "-" + std::to_string(i), site));
    }
  }
  Topology t;
  t.nodes = nodes;
  t.sites = {{"ams", "", {}, {}}, {"nyc", "", {}, {}}, {"sin", "", {}, {}}};
  t.links = topology::build_links(mesh, nodes, {});
  EXPECT_EQ(t.links.size(), 15U + 60U);
  for (auto const& one : nodes) {
    if (one.role != Role::edge) {
      continue;
    }
    std::set<std::string> sites;
    for (auto const& link : t.links_of(one.name)) {
      auto const* const hub = t.node(link.a == one.name ? link.b : link.a);
      EXPECT_EQ(hub->role, Role::central);
      sites.insert(hub->site);
    }
    EXPECT_EQ(sites.size(), 2U) << one.name;
    EXPECT_TRUE(sites.contains(one.site)) << one.name;
  }
}

TEST(BuildLinks, HubPrefersNearSitesAndThenAnotherProvider) {
  Mesh mesh;
  mesh.shape = Shape::hub;
  std::vector<topology::Site> const sites = {{"ams", "north", 52.3, 4.8},
                                             {"fra", "north", 50.0, 8.6},
                                             {"par", "west", 48.9, 2.4},
                                             {"nyc", "west", 40.6, -73.8},
                                             {"bru", "", 50.9, 4.5}};
  std::vector<Node> const nodes = {node("h-ams", "ams", Role::central), node("h-fra", "fra", Role::central),
                                   node("h-par", "par", Role::central), node("h-nyc", "nyc", Role::central),
                                   node("edge", "bru")};
  Topology t;
  t.links = topology::build_links(mesh, nodes, {}, sites);
  EXPECT_THAT(names(t.links_of("edge")), ElementsAre("edge--h-ams", "edge--h-par"));
}

TEST(BuildLinks, HubPutsRegionalNodesBetween) {
  Mesh mesh;
  mesh.shape = Shape::hub;
  std::vector<Node> const nodes = {node("c1", "x", Role::central),
                                   node("c2", "y", Role::central),
                                   node("r1", "x", Role::regional),
                                   node("r2", "y", Role::regional),
                                   node("e1", "x"),
                                   node("e2", "z")};
  EXPECT_THAT(names(topology::build_links(mesh, nodes, {})),
              ElementsAre("c1--c2", "c1--r1", "c1--r2", "c2--r1", "c2--r2", "e1--r1", "e1--r2", "e2--r1", "e2--r2"));
}

TEST(Distances, TakesTheCheapestPath) {
  std::vector<Node> const nodes = {node("a", "s"), node("b", "s"), node("c", "s"), node("d", "s"), node("x", "s")};
  std::vector<Link> const links = {{"a", "b", 1, 1420}, {"b", "c", 1, 1420}, {"a", "c", 5, 1420}, {"c", "d", 1, 1420}};
  EXPECT_THAT(topology::Graph(nodes, links).distances(0), ElementsAre(0, 1, 2, 3, topology::Graph::unreachable));
}

TEST(Distances, AgreeWithFloydAndWarshallOnRandomGraphs) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    auto const t = sample::random_topology(random, 10);
    Graph const graph(t.nodes, t.links);
    auto const n = graph.size();
    std::uint64_t const far = 1'000'000;
    std::vector<std::vector<std::uint64_t>> all(n, std::vector<std::uint64_t>(n, far));
    for (std::uint32_t i = 0; i < n; ++i) {
      all[i][i] = 0;
      for (auto const& edge : graph.edges(i)) {
        all[i][edge.to] = edge.cost;
      }
    }
    for (std::uint32_t k = 0; k < n; ++k) {
      for (std::uint32_t i = 0; i < n; ++i) {
        for (std::uint32_t j = 0; j < n; ++j) {
          all[i][j] = std::min(all[i][j], all[i][k] + all[k][j]);
        }
      }
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      auto const costs = graph.distances(i);
      for (std::uint32_t j = 0; j < n; ++j) {
        EXPECT_EQ(costs[j], all[i][j] == far ? Graph::unreachable : all[i][j]) << "seed " << seed;
      }
    }
  }
}

}  // namespace
