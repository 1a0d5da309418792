#include "topology/proof/certificate.hpp"

#include "tests/topology/sample.hpp"
#include "topology/verify/verify.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include <cstdlib>
#include <map>

namespace {

namespace json = boost::json;
using topology::Graph;
using topology::Topology;

// A generated mesh of a shape: one central of fifty, one regional of ten, sites of ten nodes on a circle around the
// earth, three providers.
Topology mesh_of(topology::Shape shape, int count) {
  Topology t;
  t.name = "mesh";
  t.mesh.shape = shape;
  t.mesh.seed = "mesh";
  t.mesh.prefix4 = boost::asio::ip::make_network_v4("10.0.0.0/8");
  t.mesh.prefix6 = boost::asio::ip::make_network_v6("fd00::/48");
  int const sites = std::max(3, count / 10);
  for (int i = 0; i < sites; ++i) {
    topology::Site site;
    site.name = "s" + std::to_string(10000 + i);
    site.provider = "p" + std::to_string(i % 3);
    site.latitude = 50.0 - (i % 7) * 10;
    site.longitude = -180.0 + 360.0 * i / sites;
    t.sites.push_back(site);
  }
  int const regionals = std::max(3, count / 10);
  int const centrals = std::max(3, std::min(20, count / 50));
  for (int i = 0; i < count; ++i) {
    topology::Node node;
    node.name = "n" + std::to_string(10000 + i);
    node.site = t.sites[static_cast<std::size_t>(i % sites)].name;
    node.role = i < centrals               ? topology::Role::central
                : i < centrals + regionals ? topology::Role::regional
                                           : topology::Role::edge;
    node.area = "0.0.0.0";
    node.underlay = {boost::asio::ip::make_address("192.0.2.1")};
    t.nodes.push_back(node);
  }
  topology::apply_shape(t);
  return t;
}

std::size_t reached(Graph const& graph, std::vector<bool> const& without, std::uint32_t link) {
  std::vector<bool> seen = without;
  std::vector<std::uint32_t> queue;
  for (std::uint32_t i = 0; i < graph.size() && queue.empty(); ++i) {
    if (!seen[i]) {
      seen[i] = true;
      queue.push_back(i);
    }
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (auto const& edge : graph.edges(queue[i])) {
      if (edge.link != link && !seen[edge.to]) {
        seen[edge.to] = true;
        queue.push_back(edge.to);
      }
    }
  }
  return queue.size();
}

// Takes every node, link, site and provider out in turn.
bool survives_everything(Topology const& t) {
  auto const nodes = t.platform_nodes();
  Graph const graph(nodes, t.links);
  std::vector<bool> gone(graph.size(), false);
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    gone[i] = true;
    if (graph.size() > 1 && reached(graph, gone, Graph::no_link) + 1 != graph.size()) {
      return false;
    }
    gone[i] = false;
  }
  for (std::uint32_t link = 0; link < graph.links().size(); ++link) {
    if (reached(graph, gone, link) != graph.size()) {
      return false;
    }
  }
  std::map<std::string, std::vector<std::uint32_t>> groups;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    groups["site " + nodes[i].site].push_back(i);
    groups["provider " + t.site(nodes[i].site)->provider].push_back(i);
  }
  for (auto const& [name, members] : groups) {
    std::vector<bool> lost(graph.size(), false);
    for (auto const node : members) {
      lost[node] = true;
    }
    if (members.size() < graph.size() && reached(graph, lost, Graph::no_link) + members.size() != graph.size()) {
      return false;
    }
  }
  return reached(graph, gone, Graph::no_link) == graph.size();
}

// Proved exactly when brute force says so, and then the checker believes it.
void expect_agreement(Topology const& t, std::string const& what) {
  auto const proved = proof::prove(t);
  EXPECT_EQ(proved.has_value(), survives_everything(t)) << what;
  if (proved) {
    auto const checked = verify::check(*proved);
    EXPECT_TRUE(checked) << what << ": " << checked.error().what();
  } else {
    EXPECT_FALSE(proved.error().empty()) << what;
  }
}

TEST(Certificate, ExistsAndIsAcceptedExactlyWhenBruteForceFindsNoWeakness) {
  std::size_t proved = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    auto const t = sample::random_topology(random, 14);
    expect_agreement(t, "seed " + std::to_string(seed));
    proved += proof::prove(t).has_value() ? 1U : 0U;
  }
  EXPECT_GT(proved, 30U);
  EXPECT_LT(proved, 250U);
}

TEST(Certificate, AgreesWithBruteForceForEveryShapeFromTenNodesOn) {
  for (int const count : {10, 11, 24, 60, 150}) {
    for (auto const shape : {topology::Shape::hub, topology::Shape::tiers, topology::Shape::cycles}) {
      auto const t = mesh_of(shape, count);
      auto const what = std::to_string(count) + " nodes, shape " + std::to_string(static_cast<int>(shape));
      expect_agreement(t, what);
      EXPECT_TRUE(proof::prove(t)) << what;
    }
  }
}

// Every node and link of 1,000 nodes is taken out in turn, and of 10,000 when SOVEREIGN_LONG is set.
TEST(Certificate, AgreesWithBruteForceForAThousandNodes) {
  bool const is_long = std::getenv("SOVEREIGN_LONG") != nullptr;
  for (auto const shape : {topology::Shape::tiers, topology::Shape::cycles}) {
    auto t = mesh_of(shape, is_long ? 10000 : 1000);
    expect_agreement(t, "whole");
    // And with a weakness somewhere inside: a node left with one link.
    auto const victim = t.nodes.back().name;
    bool kept = false;
    std::erase_if(t.links, [&](auto const& link) {
      bool const own = link.a == victim || link.b == victim;
      return own && std::exchange(kept, kept || own);
    });
    auto const proved = proof::prove(t);
    ASSERT_FALSE(proved);
    std::vector<std::string> told;
    for (auto const& one : proved.error()) {
      told.push_back(proof::to_text(one));
    }
    EXPECT_THAT(told, ::testing::Contains(::testing::AllOf(
                          ::testing::StartsWith("the loss of node "),
                          ::testing::HasSubstr(" cuts off " + victim + "; the cheapest link that would mend it is "))));
  }
}

TEST(Certificate, OfTheThreeSitesOfTheLab) {
  auto const t = sample::load(sample::three_sites_text());
  auto const proved = proof::prove(t);
  ASSERT_TRUE(proved);
  auto const checked = verify::check(*proved);
  ASSERT_TRUE(checked) << checked.error().what();
  EXPECT_EQ(checked->nodes, 9U);
  EXPECT_EQ(checked->groups, 6U);
  EXPECT_EQ(checked->reliances, 1U);
}

// One member changed at a time, in every list: nothing false is believed. A change that leaves it true may stand.
TEST(Certificate, IsRefusedWhenAnyNumberInItIsAnother) {
  auto const t = mesh_of(topology::Shape::tiers, 12);
  auto const text = *proof::prove(t);
  std::size_t refused = 0;
  std::size_t tried = 0;
  auto const tampered = [&](auto const& change) {
    auto value = json::parse(text);
    change(value.get_object());
    ++tried;
    refused += verify::check(json::serialize(value)) ? 0U : 1U;
  };
  auto const size_of = [&](char const* key) { return json::parse(text).get_object()[key].get_array().size(); };
  for (char const* key : {"order", "back", "onward"}) {
    for (std::size_t i = 0; i < size_of(key); ++i) {
      tampered([&](json::object& v) {
        auto& item = v[key].get_array()[i];
        item = item.get_int64() == 0 ? 1 : item.get_int64() - 1;
      });
    }
  }
  EXPECT_GT(refused, tried * 8 / 10) << "of " << tried;
  std::size_t const before = refused;
  for (std::size_t g = 0; g < size_of("trees"); ++g) {
    tampered([&](json::object& v) { v["trees"].get_array()[g].get_array().pop_back(); });
    tampered([&](json::object& v) {
      auto& tree = v["trees"].get_array()[g].get_array();
      tree.push_back(tree[0]);
    });
    tampered([&](json::object& v) { v["groups"].get_array()[g].get_object()["name"] = "other"; });
  }
  tampered([&](json::object& v) { v["nodes"].get_array()[0] = "other"; });
  tampered([&](json::object& v) { v["links"].get_array().pop_back(); });
  tampered([&](json::object& v) { v["digest"] = std::string(64, '0'); });
  EXPECT_EQ(refused - before, 3 * size_of("trees") + 3);
}

}  // namespace
