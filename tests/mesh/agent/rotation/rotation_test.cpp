#include "mesh/agent/rotation/rotation.hpp"

#include "base/process/service.hpp"

#include "tests/mesh/plan/sample.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agent {
namespace {

using namespace std::chrono_literals;
using Step = Rotation::Step;
using testing::HasSubstr;

Moment const start = Moment{} + 1h;

std::vector<bird::Neighbor> full(std::vector<std::string> const& devices) {
  std::vector<bird::Neighbor> out;
  for (auto const& device : devices) {
    for (auto const* protocol : {"ospf4", "ospf6"}) {
      bird::Neighbor one;
      one.protocol = protocol;
      one.interface = device;
      one.state = "Full";
      out.push_back(one);
    }
  }
  return out;
}

// ams-1 changes its key; its links go to edge-1 and nyc-1.
plan::World changing() {
  auto world = plan::sample::world();
  world.next_keys["ams-1"] = plan::sample::key(9);
  return world;
}

struct RotationTest : testing::Test {
  RotationTest() {
    EXPECT_TRUE(process::write_file_atomically(folder.file("wireguard.key"),
                                               wireguard::PrivateKey::generate().to_base64() + "\n", 0600));
    EXPECT_TRUE(identity.open());
    EXPECT_TRUE(identity.make_next());
    document.revision = plan::sample::world().revision;
    document.rotate = {"ams-1"};
    document.next_keys = {{"ams-1", identity.next_public()}};
  }
  // As seen long enough for everybody to know it.
  bool observe(plan::NodePlan const& plan, std::vector<bird::Neighbor> const& neighbors, Moment now) {
    rotation.observe(plan, neighbors, now - Rotation::flooded);
    return rotation.observe(plan, neighbors, now);
  }
  Step step(plan::NodePlan const& plan, Moment now) { return rotation.step(document, "ams-1", identity, plan, now); }

  test::TemporaryFolder folder;
  Identity identity{folder.path()};
  plan::WorldDocument document;
  Rotation rotation;
};

TEST(Slots, WhileAKeyChangesEveryLinkHasASecondDeviceAndThenThatOneAlone) {
  auto world = changing();
  auto const plan = plan::plan_node(world, "ams-1").value();
  ASSERT_EQ(plan.devices.size(), 4U);
  EXPECT_EQ(plan.successors.at("wg-nyc-1"), "wg-nyc-1~");
  EXPECT_EQ(plan.with_next_key, (std::set<std::string>{"wg-edge-1~", "wg-nyc-1~"}));
  auto const other = plan::plan_node(world, "nyc-1").value();
  EXPECT_TRUE(other.with_next_key.empty());
  for (auto const& device : other.devices) {
    if (device.name == "wg-ams-1~") {
      EXPECT_EQ(device.peers[0].public_key, plan::sample::key(9));
    } else if (device.name == "wg-ams-1") {
      EXPECT_EQ(device.peers[0].public_key, plan::sample::key(1));
    }
  }
  world.next_keys.clear();
  world.keys["ams-1"] = plan::sample::key(9);
  world.generations["ams-1"] = 1;
  auto const after = plan::plan_node(world, "ams-1").value();
  ASSERT_EQ(after.devices.size(), 2U);
  EXPECT_EQ(after.devices[0].name, "wg-edge-1~");
  EXPECT_EQ(after.devices[0].listen_port, plan.devices[1].listen_port) << "the very device that was second";
  EXPECT_THAT(after.bird, HasSubstr("interface \"wg-edge-1~\""));
  EXPECT_THAT(after.bird, testing::Not(HasSubstr("interface \"wg-edge-1\"")));
  world.generations["nyc-1"] = 1;
  EXPECT_EQ(plan::plan_node(world, "ams-1").value().devices[1].name, "wg-nyc-1")
      << "two changes, the first device again";
}

TEST_F(RotationTest, ADeviceIsLeftWhenItsSuccessorIsFullInBothFamiliesAndStaysLeft) {
  auto const plan = plan::plan_node(changing(), "ams-1").value();
  EXPECT_FALSE(observe(plan, full({"wg-nyc-1", "wg-edge-1"}), start));
  auto const second = full({"wg-nyc-1", "wg-edge-1", "wg-nyc-1~"});
  EXPECT_FALSE(rotation.observe(plan, second, start));
  EXPECT_FALSE(rotation.observe(plan, full({"wg-nyc-1", "wg-edge-1"}), start + 1s)) << "it begins anew";
  EXPECT_FALSE(rotation.observe(plan, second, start + 2s));
  EXPECT_FALSE(rotation.observe(plan, second, start + 1s + Rotation::flooded)) << "not everybody knows it yet";
  EXPECT_TRUE(rotation.observe(plan, second, start + 2s + Rotation::flooded));
  EXPECT_EQ(rotation.left, std::set<std::string>{"wg-nyc-1"});
  EXPECT_FALSE(observe(plan, full({"wg-nyc-1", "wg-edge-1"}), start)) << "the last resort still carries";
  plan::PlanOptions options;
  options.left = rotation.left;
  auto const next = plan::plan_node(changing(), "ams-1", options).value();
  EXPECT_THAT(next.bird, HasSubstr("interface \"wg-nyc-1\" {  # ams-1--nyc-1\n      type ptp;\n      cost 65535;"));
  EXPECT_THAT(next.bird, HasSubstr("interface \"wg-nyc-1~\" {  # ams-1--nyc-1\n      type ptp;\n      cost 10;"));
}

TEST_F(RotationTest, TheChangeIsDoneOnceEveryLinkHasMovedAndTheNewsHasGoneRound) {
  auto const plan = plan::plan_node(changing(), "ams-1").value();
  observe(plan, full({"wg-nyc-1", "wg-edge-1", "wg-nyc-1~"}), start);
  EXPECT_EQ(step(plan, start + 1h), Step::none) << "edge-1 has not moved";
  observe(plan, full({"wg-nyc-1", "wg-edge-1", "wg-nyc-1~", "wg-edge-1~"}), start);
  EXPECT_EQ(step(plan, start + Rotation::settle - 1s), Step::none);
  EXPECT_EQ(step(plan, start + Rotation::settle), Step::done);
  EXPECT_EQ(step(plan, start + Rotation::settle), Step::none) << "not at once again";
  EXPECT_EQ(step(plan, start + Rotation::settle + Rotation::pause), Step::done);
}

// The world with the new key could say of what is on trial here that it holds.
TEST_F(RotationTest, NothingIsDoneAndNoDeviceLeftWhileAWorldIsOnTrial) {
  auto const plan = plan::plan_node(changing(), "ams-1").value();
  auto const all = full({"wg-nyc-1", "wg-edge-1", "wg-nyc-1~", "wg-edge-1~"});
  rotation.observe(plan, all, start - Rotation::flooded, false);
  EXPECT_FALSE(rotation.observe(plan, all, start, false));
  EXPECT_TRUE(rotation.left.empty());
  EXPECT_TRUE(rotation.observe(plan, all, start)) << "at once when it is over: they have been Full meanwhile";
  rotation.observe(plan, all, start);
  auto const moved = start + Rotation::settle;
  EXPECT_EQ(rotation.step(document, "ams-1", identity, plan, moved, false), Step::none);
  EXPECT_EQ(rotation.step(document, "ams-1", identity, plan, moved, true), Step::done);
}

TEST_F(RotationTest, ThePlanOfAnotherWorldSaysNothing) {
  auto const before = plan::plan_node(plan::sample::world(), "ams-1").value();  // no second devices: all seems moved
  ++document.revision;
  EXPECT_EQ(step(before, start + 1h), Step::none);
}

TEST_F(RotationTest, ANeighbourThatIsAwayAnywayHoldsNothingUpAndOneThatStaysBehindDoes) {
  auto const plan = plan::plan_node(changing(), "ams-1").value();
  observe(plan, full({"wg-nyc-1", "wg-nyc-1~"}), start);
  EXPECT_EQ(step(plan, start + Rotation::settle), Step::done);
  observe(plan, full({"wg-nyc-1", "wg-nyc-1~", "wg-edge-1"}), start);
  EXPECT_EQ(step(plan, start + 1h), Step::none);
  observe(plan, {}, start);
  EXPECT_EQ(step(plan, start + 2h), Step::none) << "who reaches nobody has nothing to go by";
}

TEST_F(RotationTest, TheNextKeyIsOfferedWhenAskedForAndForgottenWhenTheChangeWasEnded) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  document.next_keys.clear();
  EXPECT_EQ(step(plan, start), Step::offer);
  document.rotate.clear();
  EXPECT_EQ(rotation.step(document, "ams-1", identity, plan, start + 30min, false), Step::none)
      << "a world that this node went back to says nothing of the key that a newer one may have";
  EXPECT_EQ(step(plan, start + 1h), Step::drop);
  ASSERT_TRUE(identity.drop_next());
  EXPECT_EQ(step(plan, start + 2h), Step::none);
}

TEST_F(RotationTest, ANextKeyBecomesTheKeyByARenameAndIsTheSameAfterARestart) {
  auto const next = identity.next_public();
  Identity restarted{folder.path()};
  ASSERT_TRUE(restarted.open());
  EXPECT_EQ(restarted.next_public(), next);
  ASSERT_TRUE(restarted.take_next());
  EXPECT_EQ(restarted.own_public(), next);
  EXPECT_EQ(restarted.next_public(), "");
  Identity again{folder.path()};
  ASSERT_TRUE(again.open());
  EXPECT_EQ(again.own_public(), next);
}

}  // namespace
}  // namespace agent
