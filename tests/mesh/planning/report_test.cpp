#include "mesh/planning/report.hpp"

#include "mesh/plan/files.hpp"
#include "routing/backup/survey.hpp"
#include "routing/repair_links/repair_links.hpp"
#include "tests/mesh/plan/sample.hpp"
#include "topology/load.hpp"
#include "topology/proof/certificate.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include <map>

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Sites of `in_site` nodes around the earth; the first of every fourth site is central, the second of each regional.
std::string mesh_text(std::string const& shape, int nodes, std::string const& more = {}) {
  std::string text = "name: t\ndomain: t.example\nmesh: {shape: " + shape + "}\nsites:\n";
  int const in_site = nodes < 60 ? 4 : 10;
  int const sites = (nodes + in_site - 1) / in_site;
  for (int i = 0; i < sites; ++i) {
    text += "  - {name: s" + std::to_string(i) + ", provider: p" + std::to_string(i % 3) +
            ", location: {latitude: " + std::to_string(60 - i * 100 / sites) +
            ", longitude: " + std::to_string(i * 350 / sites - 175) + "}}\n";
  }
  text += "nodes:\n";
  for (int i = 0; i < nodes; ++i) {
    int const site = i / in_site;
    char const* const role = i % in_site == 0 && (site % 4 == 0 || site < 3) ? "central"
                             : i % in_site == 1                              ? "regional"
                                                                             : "edge";
    text += "  - {name: n" + std::to_string(1000 + i) + ", site: s" + std::to_string(site) + ", role: " + role +
            ", underlay: [198.18." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "]}\n";
  }
  return text + more;
}

plan::World world_of(std::string const& text, topology::Allocation const& previous = {}) {
  auto loaded = topology::load_topology(text, "t.yaml");
  if (!loaded) {
    ADD_FAILURE() << base::text(loaded.error());
    return {};
  }
  plan::World world;
  world.topology = std::move(*loaded);
  world.allocation = *topology::allocate(world.topology, previous, 1);
  return world;
}

std::map<std::string, std::vector<plan::File>> all_files(plan::World const& world) {
  plan::Planner const planner(world);
  plan::PlanOptions options;
  options.assume_joined = true;
  std::map<std::string, std::vector<plan::File>> out;
  for (auto const& node : world.topology.nodes) {
    out.emplace(node.name, *plan::files_of(planner, node.name, options));
  }
  return out;
}

TEST(Coverage, OfTiersAndCyclesIsWholeFromTenNodesOn) {
  for (int const nodes : {12, 13, 30, 64, 150, 310}) {
    for (auto const* shape : {"tiers", "cycles", "cycles, cycles: 3"}) {
      auto const world = world_of(mesh_text(shape, nodes));
      auto const survey = backup::survey(world.topology, 200);
      EXPECT_GE(survey.percent(), 95.0) << shape << ", " << nodes;
      EXPECT_GT(survey.cases, 0U);
      EXPECT_TRUE(proof::prove(world.topology)) << shape << ", " << nodes;
    }
  }
}

// Counts the files: what a node that joins changes elsewhere, and what one that leaves does.
TEST(Files, OfOthersChangeOnlyWhereTheNewcomerIsANeighbour) {
  for (auto const* shape : {"hub", "tiers", "cycles"}) {
    auto const before = world_of(mesh_text(shape, 200));
    auto const after =
        world_of(mesh_text(shape, 200, "  - {name: newcomer, site: s3, underlay: [198.19.0.1]}\n"), before.allocation);
    auto const old_files = all_files(before);
    auto const new_files = all_files(after);
    auto const degree = after.topology.links_of("newcomer").size();
    std::size_t touched = 0;
    for (auto const& [node, files] : old_files) {
      touched += new_files.at(node) != files ? 1U : 0U;
    }
    EXPECT_LE(touched, degree + 1) << shape;
    EXPECT_GE(touched, 2U) << shape;
    // And back: whoever was touched is as before, and nobody else.
    auto const again = all_files(world_of(mesh_text(shape, 200), after.allocation));
    EXPECT_EQ(again, old_files) << shape;
  }
}

planning::Worlds grown() {
  planning::Worlds out;
  out.running = world_of(mesh_text("tiers", 40));
  out.running->revision = 7;
  out.running_from = "revision 7, of a test";
  out.wanted = world_of(mesh_text("tiers", 40, "  - {name: newcomer, site: s3, underlay: [198.19.0.1]}\n"),
                        out.running->allocation);
  return out;
}

TEST(PlanText, ShowsWhatWouldChangeNodeByNode) {
  auto const text = planning::plan_text(grown(), {});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("against revision 7, of a test\n"));
  EXPECT_THAT(*text, HasSubstr("node newcomer joins\n"));
  EXPECT_THAT(*text, HasSubstr("1 nodes join, 0 leave, 2 change, 38 stay as they are\n"));
  EXPECT_THAT(*text, HasSubstr("wg-newcomer: create"));
  EXPECT_THAT(*text, HasSubstr("bird.conf: + "));
  EXPECT_THAT(*text, HasSubstr("no single node, link, site, provider or risk disconnects anything\n"));
  EXPECT_THAT(*text, HasSubstr("loop-free alternates cover 100.0 % of "));
}

TEST(PlanText, NamesWhoHasNotJoined) {
  auto worlds = grown();
  for (auto const& node : worlds.wanted.topology.nodes) {
    if (node.name != "newcomer") {
      worlds.wanted.keys[node.name] = plan::sample::key(7);
    }
  }
  auto const sentence = HasSubstr("not joined, as far as this machine knows: newcomer; ");
  EXPECT_THAT(*planning::plan_text(worlds, {}), sentence);
  EXPECT_THAT(*planning::plan_text(worlds, {"newcomer", false}), sentence);
  auto const neighbour = worlds.wanted.topology.links_of("newcomer").front();
  auto const other = neighbour.a == "newcomer" ? neighbour.b : neighbour.a;
  EXPECT_THAT(*planning::plan_text(worlds, {other, false}), sentence);
  auto const json = boost::json::parse(*planning::plan_json(worlds, {})).as_object();
  EXPECT_EQ(boost::json::serialize(json.at("not_joined")), R"(["newcomer"])");
  worlds.wanted.keys["newcomer"] = plan::sample::key(8);
  EXPECT_THAT(*planning::plan_text(worlds, {}), Not(HasSubstr("not joined")));
  worlds.wanted.keys.clear();
  EXPECT_THAT(*planning::plan_text(worlds, {}), HasSubstr(" and 21 more; "));
}

TEST(PlanText, ShowsThePlansWhenNothingIsKnownToRun) {
  auto worlds = grown();
  worlds.running.reset();
  EXPECT_THAT(*planning::plan_text(worlds, {"newcomer", false}), HasSubstr("node newcomer\n  lo\n"));
  auto const nobody = planning::plan_text(worlds, {"nobody", false});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, plan::errc::unknown_node);
}

TEST(PlanText, ShowsTheRulesThatANewSegmentChanges) {
  planning::Worlds worlds;
  worlds.running = world_of(mesh_text("tiers", 12));
  worlds.wanted = world_of(
      mesh_text("tiers", 12, "segments: [{name: blue, tenant: t, prefix4: 10.8.0.0/16, gateways: [n1000, n1004]}]\n"),
      worlds.running->allocation);
  auto const text = *planning::plan_text(worlds, {});
  EXPECT_THAT(text, HasSubstr("node n1000 changes\n"));
  EXPECT_THAT(text, HasSubstr("nftables.conf: + "));
}

TEST(PlanText, WarnsOfARestartOfOspfWhereTheAreasBegin) {
  planning::Worlds worlds;
  worlds.running = world_of(mesh_text("tiers", 40));
  worlds.wanted = world_of(mesh_text("tiers, areas_above: 39", 40), worlds.running->allocation);
  auto const text = *planning::plan_text(worlds, {});
  EXPECT_THAT(text, HasSubstr("! the adjacency over wg-"));
  EXPECT_THAT(text, HasSubstr(" restarts: its link moves from area 0.0.0.0 to area "));
  // Regional nodes had a second area from day one, so OSPF itself restarts nowhere but where a lone area changes.
  EXPECT_THAT(text, Not(HasSubstr("! OSPF restarts")));
}

TEST(PlanJson, HoldsPlansDifferenceWeaknessesAndCoverage) {
  auto const value = boost::json::parse(*planning::plan_json(grown(), {}));
  auto const& object = value.get_object();
  EXPECT_EQ(object.at("nodes").get_array().size(), 41U);
  EXPECT_EQ(object.at("difference").get_object().at("nodes").get_array().size(), 3U);
  EXPECT_TRUE(object.at("weaknesses").get_array().empty());
  EXPECT_EQ(object.at("coverage").get_object().at("cases"), object.at("coverage").get_object().at("covered"));
}

TEST(Subject, IsWhatACertificateSpeaksOf) {
  auto const text = mesh_text("tiers", 40) +
                    "segments: [{name: acme, tenant: acme, prefix4: 10.9.0.0/24, gateways: [n1000, n1004]}]\n"
                    "services: [{name: dns, addresses: [203.0.113.53], nodes: [n1000, n1004, n1008]}]\n";
  auto world = world_of(text);
  for (auto& node : world.topology.nodes) {
    node.risks = node.role == topology::Role::regional && node.site == "s1" ? std::vector<std::string>{"rack"}
                                                                            : std::vector<std::string>{};
  }
  world.topology.links[0].risks = {"cable"};
  auto const proved = proof::prove(world.topology);
  ASSERT_TRUE(proved) << planning::weaknesses_text(world.topology, proved.error());
  auto const checked = verify::check(*proved, planning::subject_of(world.topology));
  ASSERT_TRUE(checked) << checked.error().what();
  EXPECT_EQ(checked->reliances, 2U);
  world.topology.links[0].risks.clear();
  EXPECT_FALSE(verify::check(*proved, planning::subject_of(world.topology)));
}

TEST(Soundness, NamesWhatIsWeakAndTheLinksThatMend) {
  auto const world = world_of(
      "name: t\ndomain: t.example\nmesh: {shape: links}\nsites: [{name: s}, {name: z}]\nnodes:\n"
      "  - {name: a, site: s, underlay: [198.18.0.1]}\n  - {name: b, site: s, underlay: [198.18.0.2]}\n"
      "  - {name: c, site: z, underlay: [198.18.0.3]}\nlinks: [{ends: [a, b]}, {ends: [b, c]}]\n");
  auto const text = planning::soundness_text(world.topology);
  EXPECT_THAT(text,
              HasSubstr("warning: the loss of node b cuts off c; the cheapest link that would mend it is a--c\n"));
  EXPECT_THAT(text, HasSubstr("hint: these links together mend all that links can: a--c\n"));
  EXPECT_THAT(text, HasSubstr("loop-free alternates cover 0.0 % of "));
}

TEST(Soundness, WarnsOfAnInstanceOnTheWayToTheNextOne) {
  auto const text = planning::soundness_text(
      world_of("name: t\ndomain: t.example\nmesh: {shape: links}\nsites: [{name: s}]\nnodes:\n"
               "  - {name: a, site: s, underlay: [198.18.0.1]}\n  - {name: b, site: s, underlay: [198.18.0.2]}\n"
               "  - {name: c, site: s, underlay: [198.18.0.3]}\n"
               "links: [{ends: [a, b], cost: 10}, {ends: [a, c], cost: 5}, {ends: [b, c], cost: 20}]\n"
               "services: [{name: dns, addresses: [203.0.113.53], nodes: [a, b]}]\n")
          .topology);
  EXPECT_THAT(text, HasSubstr("note: while a has withdrawn service dns, what c sends to the next instance passes "
                              "through it: its agent lets it through, rendered files do not\n"));
}

// A ring of five of equal costs: no node has a detour towards its neighbours, and each towards the two others.
std::string ring_text(std::string const& mesh) {
  std::string text = "name: t\ndomain: t.example\nmesh: {shape: links" + mesh + "}\nsites: [{name: s}]\nnodes:\n";
  for (int i = 1; i <= 5; ++i) {
    auto const number = std::to_string(i);
    text += "  - {name: n" + number + ", site: s, underlay: [198.18.0." + number + "]}\n";
  }
  return text + "links: [{ends: [n1, n2]}, {ends: [n2, n3]}, {ends: [n3, n4]}, {ends: [n4, n5]}, {ends: [n5, n1]}]\n";
}

TEST(Soundness, SuggestsRepairLinksWhereNeighboursAreNotEnough) {
  auto const text = planning::soundness_text(world_of(ring_text("")).topology);
  EXPECT_THAT(text, HasSubstr("loop-free alternates cover 50.0 % of 20 cases (node, link, destination)\n"));
  EXPECT_THAT(text, HasSubstr("hint: 3 repair links would bring that to 100.0 % (mesh: {repair_links: auto}); those "
                              "that bring most: n1--n3 (4 cases)"));
}

TEST(Soundness, SaysWhatTheRepairLinksOfAMeshBring) {
  auto world = world_of(ring_text(", repair_links: auto"));
  EXPECT_EQ(world.topology.links.size(), 5U) << "loading alone chooses none";
  repair_links::complete(world.topology, {}, false);
  auto const text = planning::soundness_text(world.topology);
  EXPECT_THAT(text, HasSubstr("loop-free alternates cover 50.0 % of 20 cases (node, link, destination)\n"
                              "with 3 repair links they cover 100.0 % of 20 cases (node, link, destination): n1--n3"));
  EXPECT_THAT(text, Not(HasSubstr("hint")));
  world.allocation = *topology::allocate(world.topology, {}, 1);
  planning::Worlds worlds;
  worlds.wanted = world;
  auto const value = boost::json::parse(*planning::plan_json(worlds, {}));
  auto const& coverage = value.at("coverage").as_object();
  EXPECT_EQ(coverage.at("covered").as_int64(), 10);
  EXPECT_EQ(coverage.at("covered_with_repair_links").as_int64(), 20);
  EXPECT_EQ(coverage.at("repair_links").as_array().size(), 3U);
  EXPECT_TRUE(coverage.at("suggested").as_array().empty());
}

}  // namespace
