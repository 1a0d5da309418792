#include "mesh/plan/world.hpp"

#include "topology/load.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace plan {
namespace {

WorldDocument sample_document() {
  WorldDocument out;
  out.revision = 42;
  out.topology = "domain: stream.example.\n# \"quoted\" \\ and more\n";
  out.allocation = "node ams-1 1\n";
  out.nodes = {{"ams-1", "cBv12lE1oxSMD0ZIf+A7LAzHL+LDi+q8EjTjzeqBz2Q="}, {"b", "x"}};
  return out;
}

TEST(World, ADocumentSurvivesItsTextForm) {
  EXPECT_EQ(parse_world_document(to_json(sample_document())).value(), sample_document());
  EXPECT_EQ(to_json(sample_document()), to_json(parse_world_document(to_json(sample_document())).value()));
}

TEST(World, MembersOfALaterVersionAreIgnored) {
  auto text = to_json(sample_document());
  text.insert(1, "\"later\":{\"a\":[1,2]},");
  EXPECT_EQ(parse_world_document(text).value(), sample_document());
}

TEST(World, AnythingElseIsRefused) {
  auto const good = to_json(sample_document());
  for (std::string const& bad :
       {std::string(), std::string("[]"), std::string("{}"), good.substr(0, good.size() - 1), good + "x",
        std::string(R"({"revision":"1","topology":"","allocation":"","nodes":{}})"),
        std::string(R"({"revision":-1,"topology":"","allocation":"","nodes":{}})"),
        std::string(R"({"revision":1.5,"topology":"","allocation":"","nodes":{}})"),
        std::string(R"({"revision":1,"topology":7,"allocation":"","nodes":{}})"),
        std::string(R"({"revision":1,"topology":"","nodes":{}})"),
        std::string(R"({"revision":1,"topology":"","allocation":"","nodes":[]})"),
        std::string(R"({"revision":1,"topology":"","allocation":"","nodes":{"a":1}})"),
        "{\"revision\":1,\"x\":" + std::string(100, '[') + std::string(100, ']') + "}",
        "{\"topology\":\"" + std::string(world_size_limit, 'x') + "\"}"}) {
    auto const read = parse_world_document(bad);
    ASSERT_FALSE(read.has_value()) << bad.substr(0, 100);
    EXPECT_EQ(read.error().code, errc::bad_document);
  }
}

std::string three_sites() {
  std::ifstream file(std::string(SOURCE_DIR) + "/lab/scenarios/three-sites/topology.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

WorldDocument real_document() {
  WorldDocument out;
  out.revision = 1;
  out.topology = three_sites();
  auto const topology = topology::load_topology(out.topology, "topology.yaml");
  EXPECT_TRUE(topology.has_value()) << (topology ? "" : base::text(topology.error()));
  out.allocation = topology::to_text(topology::allocate(*topology, {}, 0).value());
  for (auto const& node : topology->nodes) {
    out.nodes[node.name] = "cBv12lE1oxSMD0ZIf+A7LAzHL+LDi+q8EjTjzeqBz2Q=";
  }
  return out;
}

TEST(World, IsBuiltFromItsTexts) {
  auto const document = real_document();
  auto const world = build_world(document).value();
  EXPECT_EQ(world.revision, 1);
  EXPECT_EQ(world.keys.size(), world.topology.nodes.size());
}

TEST(World, KeysOfNodesThatLeftTheTopologyAreLeftOut) {
  auto document = real_document();
  auto const before = build_world(document).value().keys.size();
  document.nodes["not-a-node"] = "not even a key";
  EXPECT_EQ(build_world(document).value().keys.size(), before);
}

// One link of its shape, one with a cost of its own.
WorldDocument measured_document(std::string const& costs) {
  WorldDocument out;
  out.topology = "name: t\ndomain: t.example\nmesh: {shape: full, costs: " + costs +
                 "}\nsites: [{name: s}]\nnodes:\n"
                 "  - {name: a, site: s, underlay: [192.0.2.1]}\n  - {name: b, site: s, underlay: [192.0.2.2]}\n"
                 "  - {name: c, site: s, underlay: [192.0.2.3]}\nlinks: [{ends: [b, c], cost: 7}]\n";
  auto const topology = topology::load_topology(out.topology, "topology.yaml");
  EXPECT_TRUE(topology.has_value());
  out.allocation = topology::to_text(topology::allocate(*topology, {}, 0).value());
  out.costs = {{"a--b", 171}, {"b--c", 171}, {"c--d", 9}};
  return out;
}

TEST(World, MeasuredCostsReplaceDeclaredOnesButNeverThoseWrittenForALink) {
  auto const measured = build_world(measured_document("latency")).value().topology;
  ASSERT_EQ(measured.links.size(), 3U);
  EXPECT_EQ(measured.links[0].cost, 171U);
  EXPECT_EQ(measured.links[1].cost, 5U) << "not measured yet";
  EXPECT_EQ(measured.links[2].cost, 7U) << "written for the link";
  auto const fixed = build_world(measured_document("fixed")).value().topology;
  EXPECT_EQ(fixed.links[0].cost, 5U) << "left over from when costs were measured";
}

TEST(World, BrokenPartsAreToldApart) {
  auto document = real_document();
  document.topology = "nodes: [";
  EXPECT_EQ(build_world(document).error().code, errc::bad_topology);
  document = real_document();
  document.allocation = "nonsense\n";
  EXPECT_EQ(build_world(document).error().code, errc::bad_allocation);
  document = real_document();
  document.allocation.clear();
  EXPECT_EQ(build_world(document).error().code, errc::bad_allocation);
  document = real_document();
  document.nodes.begin()->second = "AAAA";
  EXPECT_EQ(build_world(document).error().code, errc::bad_key);
}

}  // namespace
}  // namespace plan
