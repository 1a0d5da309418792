#include "mesh/looking/looking.hpp"

#include "base/process/service.hpp"
#include "mesh/agent/belief/snapshots.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string const topology = R"(
name: pair
domain: stream.example
mesh: {prefix4: 10.201.0.0/16, prefix6: "fd00:c0de:9::/48", shape: full}
sites:
  - {name: here}
nodes:
  - {name: left, site: here, underlay: [198.18.9.1]}
  - {name: right, site: here, underlay: [198.18.9.2]}
)";

class LookingTest : public ::testing::Test {
 protected:
  LookingTest() {
    place_.node = "left";
    place_.state = folder_.path();
    place_.agent_socket = folder_.file("agent.sock");
    place_.bird_control = folder_.file("bird.ctl");
    place_.wireguard_sockets = folder_.path();
  }
  void keep_snapshot(std::int64_t revision) {
    plan::WorldDocument document;
    document.revision = revision;
    document.topology = topology;
    document.allocation = "node left 1\nnode right 2\nlink left--right 1 51820 51820\n";
    ASSERT_TRUE(agent::Snapshots(folder_.file("worlds")).save({plan::to_json(document), ""}, revision));
  }

  test::TemporaryFolder folder_;
  looking::Place place_;
};

TEST_F(LookingTest, KnowsTheNewestSnapshotAndItsAge) {
  keep_snapshot(4);
  keep_snapshot(6);
  auto const known = looking::known_world(place_);
  ASSERT_TRUE(known.world);
  EXPECT_EQ(known.world->revision, 6);
  EXPECT_GT(known.snapshot_s, 1'700'000'000);
  EXPECT_THAT(known.damaged, IsEmpty());
}

TEST_F(LookingTest, PassesADamagedSnapshotOverAndSaysSo) {
  keep_snapshot(4);
  ASSERT_TRUE(process::write_file_atomically(folder_.file("worlds/world-5"), "nonsense", 0600));
  auto const known = looking::known_world(place_);
  ASSERT_TRUE(known.world);
  EXPECT_EQ(known.world->revision, 4);
  EXPECT_THAT(known.damaged, SizeIs(1));
}

TEST_F(LookingTest, FallsBackToTheSeedAndSaysWhenThereIsNone) {
  EXPECT_THAT(looking::known_world(place_).problem, HasSubstr("neither a snapshot"));
  place_.seed_topology = folder_.file("topology.yaml");
  ASSERT_TRUE(process::write_file_atomically(place_.seed_topology, topology, 0600));
  EXPECT_TRUE(looking::known_world(place_).world);
  ASSERT_TRUE(process::write_file_atomically(place_.seed_topology, "name: [", 0600));
  EXPECT_THAT(looking::known_world(place_).problem, HasSubstr("topology.yaml:1"));
}

// Neither agent nor BIRD nor devices: that is what is found, and nothing ends early.
TEST_F(LookingTest, ExaminesAMachineOnWhichNothingRuns) {
  keep_snapshot(4);
  net::asio::io_context loop;
  auto const examined = test::run_task(loop, looking::examine(place_));
  EXPECT_THAT(examined.findings, Contains(Field(&doctor::Finding::code, "agent-down")));
  EXPECT_THAT(examined.findings, Contains(Field(&doctor::Finding::code, "bird-down")));
  EXPECT_THAT(examined.blind, Contains(HasSubstr("BIRD: ")));
}

TEST_F(LookingTest, DrawsNothingWithoutAWorldOrBird) {
  net::asio::io_context loop;
  EXPECT_EQ(test::run_task(loop, looking::draw(place_, looking::Format::svg)).error().code, plan::errc::bad_document);
  keep_snapshot(4);
  EXPECT_FALSE(test::run_task(loop, looking::draw(place_, looking::Format::dot)));
}

}  // namespace
