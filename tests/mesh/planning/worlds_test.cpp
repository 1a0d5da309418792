#include "mesh/planning/worlds.hpp"

#include "base/process/service.hpp"
#include "mesh/agent/belief/snapshots.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char const* two_nodes =
    "name: t\ndomain: t.example\nsites: [{name: s}]\nnodes:\n"
    "  - {name: a, site: s, underlay: [198.18.0.1]}\n  - {name: b, site: s, underlay: [198.18.0.2]}\n";

class Worlds : public ::testing::Test {
 protected:
  std::string put(std::string const& name, std::string const& text) {
    auto const path = folder_.file(name);
    EXPECT_TRUE(process::write_file_atomically(path, text, 0600));
    return path;
  }
  std::string error(planning::Sources const& sources) {
    auto const worlds = planning::load_worlds(sources, 1000);
    return worlds ? "" : worlds.error();
  }
  test::TemporaryFolder folder_;
};

plan::WorldDocument running() {
  plan::WorldDocument out;
  out.revision = 7;
  out.topology = two_nodes;
  out.allocation = "node a 5\nnode b 6\nlink a--b 9 51900 51901\n";
  return out;
}

TEST_F(Worlds, TakeIdentitiesFromTheWorldThatRuns) {
  planning::Sources sources;
  sources.topology = put("t.yaml", std::string(two_nodes) + "  - {name: c, site: s, underlay: [198.18.0.3]}\n");
  sources.running = put("world.json", plan::to_json(running()));
  auto const worlds = planning::load_worlds(sources, 1000);
  ASSERT_TRUE(worlds) << worlds.error();
  EXPECT_EQ(worlds->wanted.allocation.nodes.at("a").id, 5U);
  EXPECT_EQ(worlds->wanted.allocation.nodes.at("c").id, 1U);
  EXPECT_EQ(worlds->wanted.allocation.links.at("a--b").port_b, 51901);
  EXPECT_THAT(worlds->running_from, StartsWith("revision 7, of "));
}

TEST_F(Worlds, GoOnWithMeasuredCostsAsLongAsTheTopologyWantsThem) {
  std::string const measured = std::string(two_nodes) + "mesh: {costs: latency}\n";
  auto document = running();
  document.topology = measured;
  document.costs = {{"a--b", 171}};
  planning::Sources sources;
  sources.running = put("world.json", plan::to_json(document));
  sources.topology = put("t.yaml", measured);
  EXPECT_EQ(planning::load_worlds(sources, 1000)->wanted.topology.links.at(0).cost, 171U);
  sources.topology = put("t.yaml", two_nodes);
  EXPECT_EQ(planning::load_worlds(sources, 1000)->wanted.topology.links.at(0).cost, 5U);
  sources.topology = put("t.yaml", measured + "links: [{ends: [a, b], cost: 9}]\n");
  EXPECT_EQ(planning::load_worlds(sources, 1000)->wanted.topology.links.at(0).cost, 9U);
}

TEST_F(Worlds, FindWhatRunsInTheAgentsSnapshots) {
  agent::Snapshots snapshots(folder_.file("worlds"));
  ASSERT_TRUE(snapshots.save(signed_world::sign(running(), signed_world::SigningKey::generate()), 7));
  planning::Sources sources;
  sources.topology = put("t.yaml", two_nodes);
  sources.snapshots = folder_.file("worlds");
  auto const worlds = planning::load_worlds(sources, 1000);
  ASSERT_TRUE(worlds) << worlds.error();
  ASSERT_TRUE(worlds->running);
  EXPECT_EQ(worlds->running->revision, 7);
  sources.snapshots = folder_.file("none");
  EXPECT_FALSE(planning::load_worlds(sources, 1000)->running);
}

TEST_F(Worlds, ReportEveryProblemWithItsPlace) {
  planning::Sources sources;
  EXPECT_THAT(error(sources), StartsWith("no topology"));
  sources.topology = put("t.yaml", two_nodes);
  sources.allocation = put("ids", "node a 1\nnode b 1\nlink a--b x 1 1\n");
  EXPECT_EQ(error(sources), sources.allocation +
                                ":2:8: this node id is there twice (it is also on line 1; drop the line of the node "
                                "that joined later)\n" +
                                sources.allocation + ":3:6: not a link name, its id and its two ports\n");
  sources.allocation.clear();
  sources.keys = put("keys", "# keys\na nonsense\nzed AAAA\n");
  EXPECT_THAT(error(sources), HasSubstr(sources.keys + ":2:3: not a public key"));
  sources.keys.clear();
  sources.running = put("world.json", "{}");
  EXPECT_THAT(error(sources), StartsWith(sources.running + ": "));
}

}  // namespace
