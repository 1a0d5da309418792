#include "routing/backup/alternates.hpp"

#include "topology/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <sstream>

namespace {

using backup::Destination;
using backup::Distances;
using backup::Protection;
using ::testing::IsEmpty;
using topology::Graph;
using topology::Topology;

Topology world(int count, std::vector<topology::Link> links) {
  Topology out;
  for (int i = 0; i < count; ++i) {
    topology::Node node;
    node.name = std::string(1, static_cast<char>('a' + i));
    node.site = "s";
    out.nodes.push_back(node);
  }
  out.links = std::move(links);
  return out;
}

Topology ring(int count) {
  std::vector<topology::Link> links;
  for (int i = 0; i < count; ++i) {
    auto const a = std::string(1, static_cast<char>('a' + i));
    auto const b = std::string(1, static_cast<char>('a' + (i + 1) % count));
    links.push_back({std::min(a, b), std::max(a, b), 10, 1420});
  }
  return world(count, links);
}

Topology full_mesh(int count) {
  std::vector<topology::Link> links;
  for (int i = 0; i < count; ++i) {
    for (int j = i + 1; j < count; ++j) {
      links.push_back(
          {std::string(1, static_cast<char>('a' + i)), std::string(1, static_cast<char>('a' + j)), 10, 1420});
    }
  }
  return world(count, links);
}

Distances distances_of(Topology const& t) {
  return Distances(Graph(t.platform_nodes(), t.links));
}

TEST(Alternates, TheExampleOfTheReadmeHolds) {
  // S=a, E=b, N=c, P=d
  auto const t = world(4, {{"a", "b", 5, 1420}, {"a", "c", 8, 1420}, {"b", "d", 5, 1420}, {"c", "d", 6, 1420}});
  auto const found = backup::protections(distances_of(t), "a", Destination{"d", {{"d", 0}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].primary, "b");
  EXPECT_EQ(found[0].cost, 10U);
  ASSERT_TRUE(found[0].alternate);
  EXPECT_EQ(found[0].alternate->neighbor, "c");
  EXPECT_EQ(found[0].alternate->cost, 14U);
  EXPECT_TRUE(found[0].alternate->node_protecting);
  EXPECT_TRUE(found[0].alternate->downstream);
  EXPECT_FALSE(found[0].alternate->equal_cost);
}

TEST(Alternates, ANeighbourWhoseWayLeadsBackIsNone) {
  // A triangle with one long side: b reaches c through a.
  auto const t = world(3, {{"a", "b", 1, 1420}, {"a", "c", 1, 1420}, {"b", "c", 10, 1420}});
  auto const found = backup::protections(distances_of(t), "a", Destination{"c", {{"c", 0}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].alternate);
}

TEST(Alternates, EqualCostPathsProtectEachOther) {
  auto const t = world(4, {{"a", "b", 5, 1420}, {"a", "c", 5, 1420}, {"b", "d", 5, 1420}, {"c", "d", 5, 1420}});
  auto const found = backup::protections(distances_of(t), "a", Destination{"d", {{"d", 0}}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].primary, "b");
  ASSERT_TRUE(found[0].alternate);
  EXPECT_EQ(found[0].alternate->neighbor, "c");
  EXPECT_TRUE(found[0].alternate->equal_cost);
  ASSERT_TRUE(found[1].alternate);
  EXPECT_EQ(found[1].alternate->neighbor, "b");
}

TEST(Alternates, NodeProtectionIsPreferredToACheaperPath) {
  // c is cheaper but goes through b; e goes around it.
  auto const t = world(5, {{"a", "b", 5, 1420},
                           {"a", "c", 5, 1420},
                           {"b", "c", 1, 1420},
                           {"b", "d", 5, 1420},
                           {"a", "e", 20, 1420},
                           {"d", "e", 5, 1420}});
  auto const found = backup::protections(distances_of(t), "a", Destination{"d", {{"d", 0}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].primary, "b");
  ASSERT_TRUE(found[0].alternate);
  EXPECT_EQ(found[0].alternate->neighbor, "e");
  EXPECT_TRUE(found[0].alternate->node_protecting);
}

TEST(Alternates, AnAnycastServiceFailsOverToAnotherOriginator) {
  // A chain d1 - a - d2: towards one node there is no way around, towards the service there is.
  auto const t = world(3, {{"a", "b", 5, 1420}, {"a", "c", 7, 1420}});
  auto const distances = distances_of(t);
  EXPECT_FALSE(backup::protections(distances, "a", Destination{"b", {{"b", 0}}})[0].alternate);
  auto const found = backup::protections(distances, "a", Destination{"service", {{"b", 0}, {"c", 0}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].primary, "b");
  ASSERT_TRUE(found[0].alternate);
  EXPECT_EQ(found[0].alternate->neighbor, "c");
  EXPECT_TRUE(found[0].alternate->node_protecting);
  // An outer cost that makes c's own way lead back through a.
  EXPECT_FALSE(backup::protections(distances, "a", Destination{"service", {{"b", 0}, {"c", 100}}})[0].alternate);
}

TEST(Alternates, AnOriginatorNeedsNoNextHop) {
  auto const distances = distances_of(ring(4));
  EXPECT_THAT(backup::protections(distances, "a", Destination{"a", {{"a", 0}}}), IsEmpty());
  EXPECT_THAT(backup::protections(distances, "z", Destination{"a", {{"a", 0}}}), IsEmpty());
  EXPECT_THAT(backup::protections(distances, "a", Destination{"gone", {{"z", 0}}}), IsEmpty());
  EXPECT_THAT(backup::protections(distances, "a", Destination{"any", {{"a", 50}, {"b", 0}}}), IsEmpty());
}

TEST(Alternates, UnreachableDestinationsHaveNoRoutes) {
  auto const t = world(3, {{"a", "b", 5, 1420}});
  EXPECT_THAT(backup::protections(distances_of(t), "a", Destination{"c", {{"c", 0}}}), IsEmpty());
}

TEST(Alternates, OneNodesOwnDistancesSayTheSameAsEverybodys) {
  std::mt19937 random(7);
  std::uniform_int_distribution<std::uint32_t> costs(1, 30);
  auto mesh = full_mesh(7);
  for (auto& link : mesh.links) {
    link.cost = costs(random);
  }
  Graph const graph(mesh.platform_nodes(), mesh.links);
  auto const all = distances_of(mesh);
  std::size_t alternates = 0;
  for (auto const& node : mesh.nodes) {
    auto const own = backup::protections(Distances(graph, node.name), node.name, backup::destinations(mesh));
    auto const same = backup::protections(all, node.name, backup::destinations(mesh));
    ASSERT_EQ(own.size(), same.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      EXPECT_EQ(own[i].primary, same[i].primary);
      ASSERT_EQ(own[i].alternate.has_value(), same[i].alternate.has_value());
      alternates += own[i].alternate ? 1U : 0U;
      if (own[i].alternate) {
        EXPECT_EQ(own[i].alternate->neighbor, same[i].alternate->neighbor);
      }
    }
  }
  EXPECT_GT(alternates, 0U);
}

TEST(Coverage, ARingHasGaps) {
  auto const report = backup::coverage(ring(6));
  EXPECT_LT(report.link_percent(), 100);
  EXPECT_FALSE(report.gaps.empty());
  // Towards a neighbour there is never one: the next node of the ring leads back or is at equal distance.
  auto const found = backup::protections(distances_of(ring(6)), "a", Destination{"b", {{"b", 0}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].alternate);
}

TEST(Coverage, AFullMeshOfEqualCostsIsCovered) {
  auto const report = backup::coverage(full_mesh(6));
  EXPECT_EQ(report.pairs, 30U);
  EXPECT_DOUBLE_EQ(report.link_percent(), 100);
  EXPECT_EQ(report.node_pairs, 0U);
  EXPECT_DOUBLE_EQ(report.node_percent(), 100);
  EXPECT_THAT(report.gaps, IsEmpty());
}

TEST(Coverage, NothingToProtectIsFullyProtected) {
  EXPECT_DOUBLE_EQ(backup::coverage(world(1, {})).link_percent(), 100);
}

TEST(Coverage, TheThreeSitesSurviveEveryLinkAtOnce) {
  std::ifstream file(std::string(SOURCE_DIR) + "/lab/scenarios/three-sites/topology.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  auto const loaded = topology::load_topology(text.str(), "topology.yaml");
  ASSERT_TRUE(loaded) << base::text(loaded.error());
  auto const report = backup::coverage(*loaded);
  for (auto const& gap : report.gaps) {
    EXPECT_TRUE(gap.node_only) << gap.node << " to " << gap.destination << " over " << gap.primary;
  }
  EXPECT_DOUBLE_EQ(report.link_percent(), 100);
  RecordProperty("node_percent", std::to_string(report.node_percent()));
}

Topology random_world(std::mt19937& random) {
  auto const pick = [&](int least, int most) { return std::uniform_int_distribution<int>(least, most)(random); };
  int const count = pick(2, 8);
  int const density = pick(25, 90);
  std::vector<topology::Link> links;
  for (int i = 0; i < count; ++i) {
    for (int j = i + 1; j < count; ++j) {
      if (pick(0, 99) < density) {
        links.push_back({std::string(1, static_cast<char>('a' + i)), std::string(1, static_cast<char>('a' + j)),
                         static_cast<std::uint32_t>(pick(1, 6)), 1420});
      }
    }
  }
  return world(count, links);
}

// Every way a packet may take from `at` when each node uses its cheapest paths of before the failure, all of them.
// Whether it always arrives without entering `forbidden`. Costs fall on every hop, so this ends.
bool always_arrives(Distances const& distances, Destination const& destination, std::uint32_t at,
                    std::uint32_t forbidden) {
  auto const& graph = distances.graph();
  auto const cost = distances.to(at, destination);
  if (at == forbidden || cost == Graph::unreachable) {
    return false;
  }
  if (destination.originators.contains(graph.name(at))) {
    return true;
  }
  for (auto const& edge : graph.edges(at)) {
    auto const onward = distances.to(edge.to, destination);
    bool const next_hop = onward != Graph::unreachable && edge.cost + onward == cost;
    if (next_hop && !always_arrives(distances, destination, edge.to, forbidden)) {
      return false;
    }
  }
  return true;
}

// The alternate never loops and is found whenever one exists; node protection likewise.
TEST(Alternates, EqualAForwardingSimulationOnRandomGraphs) {
  std::size_t covered = 0;
  std::size_t gaps = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    auto const t = random_world(random);
    auto const distances = distances_of(t);
    auto const& graph = distances.graph();
    auto all = backup::destinations(t);
    Destination anycast{"anycast", {}};
    Destination uneven{"uneven", {}};
    for (auto const& node : t.nodes) {
      if (random() % 3 == 0) {
        anycast.originators.emplace(node.name, 2);
        uneven.originators.emplace(node.name, random() % 4);
      }
    }
    all.push_back(anycast);
    all.push_back(uneven);
    for (std::uint32_t self = 0; self < graph.size(); ++self) {
      for (auto const& destination : all) {
        for (auto const& protection : backup::protections(distances, graph.name(self), destination)) {
          auto const primary = *graph.index(protection.primary);
          bool possible = false;
          bool node_possible = false;
          for (auto const& edge : graph.edges(self)) {
            if (edge.to != primary && always_arrives(distances, destination, edge.to, self)) {
              possible = true;
              node_possible = node_possible || always_arrives(distances, destination, edge.to, primary);
            }
          }
          std::string const where = "seed " + std::to_string(seed) + ": " + graph.name(self) + " to " +
                                    destination.name + " over " + protection.primary;
          // With different outer costs the choice may miss one, but must not take a wrong one.
          bool const exact = destination.name != "uneven";
          EXPECT_TRUE(protection.alternate.has_value() == possible || (possible && !exact)) << where;
          (possible ? covered : gaps) += 1;
          if (!protection.alternate) {
            continue;
          }
          auto const neighbor = *graph.index(protection.alternate->neighbor);
          bool const avoids_primary = always_arrives(distances, destination, neighbor, primary);
          EXPECT_NE(neighbor, primary) << where;
          EXPECT_TRUE(always_arrives(distances, destination, neighbor, self)) << where;
          EXPECT_TRUE(avoids_primary || !protection.alternate->node_protecting) << where;
          EXPECT_TRUE(protection.alternate->node_protecting == node_possible || !exact) << where;
        }
      }
    }
  }
  EXPECT_GT(covered, 1000U);
  EXPECT_GT(gaps, 1000U);
}

}  // namespace
