#include "mesh/plan/plan.hpp"

#include "sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

NodePlan planned(std::string const& node, World const& world = sample::world()) {
  return plan_node(world, node).value();
}

wireguard::Device const& device(NodePlan const& plan, std::string const& name) {
  for (auto const& one : plan.devices) {
    if (one.name == name) {
      return one;
    }
  }
  throw std::runtime_error("no device " + name);
}

TEST(Plan, ThePlanOfANodeIsThisText) {
  EXPECT_EQ(to_text(planned("ams-1")),
            "node ams-1\n"
            "  lo\n"
            "    address 10.200.0.1/32\n"
            "    address fd5e:70::1/128\n"
            "    address 198.51.100.53/32\n"
            "    address 2001:db8:53::53/128\n"
            "  wg-edge-1  (ams-1--edge-1)  port 51820  mtu 1400\n"
            "    address 10.200.0.1/32\n"
            "    address fe80::1:1/64\n"
            "    peer AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI= speaks first\n"
            "  wg-nyc-1  (ams-1--nyc-1)  port 51821  mtu 1420\n"
            "    address 10.200.0.1/32\n"
            "    address fe80::2:1/64\n"
            "    peer AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM= at [2001:db8::3]:51820\n"
            "  announces dns while it answers\n");
}

TEST(Plan, ADrainedNodesRepairLinksAreStillItsLastResort) {
  auto world = sample::world();
  world.topology.links[1].repair = true;  // ams-1--nyc-1
  world.topology.links[1].cost = 60000;
  world.draining = {"ams-1"};
  auto const bird = planned("ams-1", world).bird;
  EXPECT_THAT(bird, HasSubstr("interface \"wg-edge-1\" {  # ams-1--edge-1\n      type ptp;\n      cost 62500;"));
  EXPECT_THAT(bird, HasSubstr("interface \"wg-nyc-1\" {  # ams-1--nyc-1\n      type ptp;\n      cost 65535;"));
  EXPECT_THAT(planned("nyc-1", world).bird, HasSubstr("# ams-1--nyc-1\n      type ptp;\n      cost 60000;"));
}

TEST(Plan, BothEndsOfALinkFitTogether) {
  auto const a = device(planned("ams-1"), "wg-nyc-1");
  auto const b = device(planned("nyc-1"), "wg-ams-1");
  EXPECT_EQ(a.mtu, b.mtu);
  EXPECT_NE(a.addresses[1], b.addresses[1]);
  EXPECT_EQ(a.peers[0].endpoint->port, b.listen_port);
  EXPECT_EQ(b.peers[0].endpoint->port, a.listen_port);
}

TEST(Plan, PeersMayCarryEverythingAndNoPrivateKeyIsInAPlan) {
  for (auto const& one : planned("ams-1").devices) {
    EXPECT_FALSE(one.private_key.is_set());
    ASSERT_THAT(one.peers, SizeIs(1));
    EXPECT_EQ(one.peers[0].allowed_ips[0].text(), "0.0.0.0/0");
    EXPECT_EQ(one.peers[0].allowed_ips[1].text(), "::/0");
  }
}

TEST(Plan, TheFamilyOfAnEndpointIsOneThatBothEndsHave) {
  EXPECT_EQ(device(planned("ams-1"), "wg-nyc-1").peers[0].endpoint->text(), "[2001:db8::3]:51820");
  auto world = sample::world();
  world.topology.nodes[2].underlay.push_back(sample::address("192.0.2.3"));
  EXPECT_EQ(device(planned("ams-1", world), "wg-nyc-1").peers[0].endpoint->text(), "192.0.2.3:51820");
}

TEST(Plan, ANodeBehindNatSpeaksFirstAndKeepsTheMappingOpen) {
  auto const own = device(planned("edge-1"), "wg-ams-1");
  EXPECT_EQ(own.peers[0].endpoint->text(), "192.0.2.1:51820");
  EXPECT_EQ(own.peers[0].keepalive_s, keepalive_behind_nat_s);
  auto const other = device(planned("ams-1"), "wg-edge-1");
  EXPECT_FALSE(other.peers[0].endpoint.has_value());
  EXPECT_EQ(other.peers[0].keepalive_s, 0);
}

TEST(Plan, ALinkThatCanNeverComeUpIsAWarning) {
  auto world = sample::world();
  world.topology.nodes[0].underlay.clear();
  EXPECT_THAT(planned("ams-1", world).warnings,
              ElementsAre("link ams-1--edge-1 can never come up: neither node has an underlay address"));
  world = sample::world();
  world.topology.nodes[0].underlay = {sample::address("192.0.2.1")};
  EXPECT_THAT(planned("ams-1", world).warnings,
              ElementsAre(HasSubstr("ams-1--nyc-1 can never come up: the underlay addresses")));
  EXPECT_THAT(planned("ams-1").warnings, IsEmpty());
}

TEST(Plan, ALinkToANodeThatHasNotJoinedIsLeftOut) {
  auto world = sample::world();
  world.keys.erase("nyc-1");
  auto const plan = planned("ams-1", world);
  ASSERT_THAT(plan.devices, SizeIs(1));
  EXPECT_EQ(plan.devices[0].name, "wg-edge-1");
  EXPECT_THAT(plan.waiting, ElementsAre("ams-1--nyc-1"));
}

TEST(Plan, EveryLinkCanBeLookedAtBeforeAnybodyJoined) {
  auto world = sample::world();
  world.keys.clear();
  PlanOptions options;
  options.assume_joined = true;
  auto const plan = plan_node(world, "ams-1", options).value();
  EXPECT_THAT(plan.devices, SizeIs(2));
  EXPECT_THAT(plan.waiting, IsEmpty());
  EXPECT_THAT(to_text(plan), HasSubstr("(has not joined)"));
}

TEST(Plan, OnlyNodesThatServeAServiceHaveItsAddresses) {
  EXPECT_THAT(planned("edge-1").services, IsEmpty());
  EXPECT_THAT(planned("edge-1").loopback, SizeIs(2));
  EXPECT_THAT(planned("nyc-1").services, SizeIs(1));
  EXPECT_THAT(planned("nyc-1").loopback, SizeIs(4));
}

TEST(Plan, ReversePathFiltersAreOffOnEveryDeviceAndForwardingIsOn) {
  auto const sysctls = planned("ams-1").sysctls;
  auto const has = [&](std::string const& path, std::string const& value) {
    return std::any_of(sysctls.begin(), sysctls.end(),
                       [&](Sysctl const& one) { return one.path == path && one.value == value && one.required; });
  };
  EXPECT_TRUE(has("net/ipv4/ip_forward", "1"));
  EXPECT_TRUE(has("net/ipv6/conf/all/forwarding", "1"));
  EXPECT_TRUE(has("net/ipv4/conf/all/rp_filter", "0"));
  EXPECT_TRUE(has("net/ipv4/conf/wg-nyc-1/rp_filter", "0"));
  EXPECT_TRUE(has("net/ipv4/conf/wg-edge-1/rp_filter", "0"));
}

TEST(Plan, BirdGetsTheConfigurationOfThisNode) {
  auto const plan = planned("ams-1");
  EXPECT_EQ(plan.bird, bird::render(sample::world().topology, sample::world().allocation, "ams-1"));
  EXPECT_THAT(plan.bird, HasSubstr("wg-nyc-1"));
}

TEST(Plan, ANodeThatIsNotInTheTopologyHasNoPlan) {
  auto const none = plan_node(sample::world(), "ams-2");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, errc::unknown_node);
}

TEST(Plan, TheSameWorldGivesTheSamePlan) {
  EXPECT_EQ(to_json(planned("ams-1")), to_json(planned("ams-1")));
  auto const value = boost::json::parse(to_json(std::vector<NodePlan>{planned("ams-1"), planned("nyc-1")}));
  EXPECT_EQ(value.at("revision").as_int64(), 7);
  EXPECT_EQ(value.at("nodes").at(1).at("node").as_string(), "nyc-1");
  EXPECT_EQ(value.at("nodes").at(0).at("devices").at(1).at("peers").at(0).at("endpoint").as_string(),
            "[2001:db8::3]:51820");
}

TEST(Plan, NoChangesAreSaidInWords) {
  EXPECT_EQ(to_text(std::vector<wireguard::Change>{}), "no changes\n");
  wireguard::Change change;
  change.kind = wireguard::Change::Kind::set_mtu;
  change.device = "wg-a";
  change.mtu = 1400;
  EXPECT_EQ(to_text({change}), "wg-a: set mtu 1400\n");
}

}  // namespace
}  // namespace plan
