#include "mesh/reconcile/reconciler.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace reconcile {
namespace {

bird::Neighbor neighbor(std::string const& interface, std::string const& state) {
  bird::Neighbor out;
  out.interface = interface;
  out.state = state;
  return out;
}

TEST(Removal, WaitsUntilEveryWantedLinkIsFullInBothFamilies) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  std::vector<bird::Neighbor> neighbors{neighbor("wg-edge-1", "Full"), neighbor("wg-edge-1", "Full"),
                                        neighbor("wg-nyc-1", "Full"), neighbor("wg-nyc-1", "Exchange")};
  EXPECT_FALSE(others_carry(plan, neighbors, true));
  EXPECT_TRUE(others_carry(plan, neighbors, false)) << "after a time one will do";
  neighbors.back().state = "Full";
  EXPECT_TRUE(others_carry(plan, neighbors, true));
  neighbors.pop_back();
  EXPECT_FALSE(others_carry(plan, neighbors, true));
  EXPECT_FALSE(others_carry(plan, {}, true));
}

TEST(Removal, ImpatienceDoesNotTakeWhatMayBeAllThatConnectsTheNode) {
  auto plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  EXPECT_FALSE(others_carry(plan, {neighbor("wg-edge-1", "Full"), neighbor("wg-nyc-1", "Full")}, false))
      << "one family";
  plan.devices.clear();
  EXPECT_FALSE(others_carry(plan, {}, true)) << "nobody else has joined";
  EXPECT_FALSE(others_carry(plan, {}, false));
}

TEST(Removal, OnlyALinkThatOthersGoByIsLeftStepByStep) {
  auto const world = plan::sample::world();
  auto plan = plan::plan_node(world, "ams-1").value();
  wireguard::ObservedDevice device;
  device.name = "wg-old";
  device.peers.emplace_back().peer.public_key = world.keys.at("edge-1");
  std::vector<bird::Neighbor> const full{neighbor("wg-old", "Full")};
  EXPECT_TRUE(nobody_calculates(device, plan, world, full)) << "a second device to edge-1, as while its key changes";
  std::erase_if(plan.neighbors, [](auto const& entry) { return entry.first == "wg-edge-1"; });
  EXPECT_FALSE(nobody_calculates(device, plan, world, full));
  EXPECT_TRUE(nobody_calculates(device, plan, world, {neighbor("wg-old", "Init")})) << "it carries nothing";
}

TEST(Adjacencies, OneThatWentAndCameBackBetweenTwoLooksIsAnother) {
  std::vector<bird::Neighbor> const neighbors{neighbor("wg-a", "Full"), neighbor("wg-b", "Exchange")};
  std::vector<bird::BfdSession> sessions(1);
  sessions[0].address = "10.200.0.2";
  sessions[0].interface = "wg-a";
  sessions[0].state = "Up";
  sessions[0].since = "11:06:24.399";
  auto const before = adjacencies(neighbors, sessions);
  EXPECT_EQ(adjacencies(neighbors, sessions), before);
  sessions[0].since = "11:06:26.012";
  auto const after = adjacencies(neighbors, sessions);
  EXPECT_FALSE(std::includes(before.begin(), before.end(), after.begin(), after.end()));
  sessions[0].since = "2026-11-29";
  auto const next_day = adjacencies(neighbors, sessions);
  EXPECT_TRUE(std::includes(before.begin(), before.end(), next_day.begin(), next_day.end())) << "told shorter";
  EXPECT_FALSE(std::includes(next_day.begin(), next_day.end(), after.begin(), after.end()));
  sessions[0].state = "Down";
  auto const down = adjacencies(neighbors, sessions);
  EXPECT_TRUE(std::includes(before.begin(), before.end(), down.begin(), down.end())) << "what goes brings nothing";
}

TEST(Removal, ADeviceWhosePeerIsNoMemberIsAnOrphan) {
  wireguard::ObservedDevice device;
  EXPECT_TRUE(is_orphan(device, plan::sample::world()));
  device.peers.emplace_back().peer.public_key = plan::sample::key(9);
  EXPECT_TRUE(is_orphan(device, plan::sample::world()));
  device.peers.emplace_back().peer.public_key = plan::sample::key(3);
  EXPECT_FALSE(is_orphan(device, plan::sample::world()));
}

wireguard::ObservedDevice interface(std::string name, unsigned index, std::string alias, std::string kind = "tun") {
  wireguard::ObservedDevice out;
  out.name = std::move(name);
  out.index = index;
  out.alias = std::move(alias);
  out.kind = std::move(kind);
  return out;
}

TEST(Names, ADeviceIsKnownByItsIndexOrByItsAliasUnderAStrangersName) {
  wireguard::Device bob;
  bob.name = "wg-bob";
  bob.alias = "ann--bob";
  std::map<unsigned, std::string> const again{{7, "wg-bob"}};
  EXPECT_EQ(renamed({bob}, {interface("tun7", 7, "ann--bob")}, {}), again);
  EXPECT_EQ(renamed({bob}, {interface("wg-other", 7, "ann--bob")}, {{"wg-bob", 7}}), again);
  // A name of ours without the index may be the device of the same link that is on its way out.
  EXPECT_TRUE(renamed({bob}, {interface("wg-bob.1", 7, "ann--bob")}, {}).empty());
  EXPECT_TRUE(renamed({bob}, {interface("tun7", 7, "ann--cat")}, {{"wg-bob", 7}}).empty()) << "used again";
  EXPECT_TRUE(renamed({bob}, {interface("veth7", 7, "ann--bob", "veth")}, {}).empty());
  EXPECT_TRUE(renamed({bob}, {interface("tun7", 7, "ann--bob"), interface("wg-bob", 8, "")}, {}).empty());
}

wireguard::ObservedDevice device_of_wireguard(std::string name, std::string alias) {
  auto out = interface(std::move(name), 1, std::move(alias), "wireguard");
  out.wireguard = true;
  return out;
}

TEST(Reconciler, OnlyDevicesOfTheMeshAreClearedOfStrangersRoutes) {
  wireguard::Owner const owner{plan::interface_prefix, "ann"};
  wireguard::Device bob;
  bob.name = "wg-bob";
  bob.private_key = wireguard::PrivateKey::generate();
  wireguard::Device dan = bob;
  dan.name = "wg-dan";
  wireguard::Device eve = bob;
  eve.name = "wg-eve";
  auto const stale = device_of_wireguard("wg-old", "ann--cat");
  auto const foreign = device_of_wireguard("wg-office", "");
  auto taken = device_of_wireguard("wg-eve", "");
  taken.private_key = wireguard::PrivateKey::generate();
  auto nameless = device_of_wireguard("wg-nameless", "");
  nameless.private_key = bob.private_key;
  wireguard::ObservedDevice bridge;
  bridge.name = "wg-bridge";
  wireguard::ObservedDevice taken_bridge;
  taken_bridge.name = "wg-dan";
  EXPECT_EQ(mesh_devices({bob, dan, eve}, {stale, foreign, taken, nameless, bridge, taken_bridge}, owner),
            (std::set<std::string>{"wg-bob", "wg-nameless", "wg-old"}));
}

TEST(Reconciler, WhatAnothersDeviceIsCalledGetsNoRulesNoSettingsAndNoOspf) {
  auto const world = plan::sample::world();
  plan::PlanOptions options;
  options.rules = true;
  auto const whole = plan::plan_node(world, "ams-1", options).value();
  for (auto const* const text : {&whole.bird, &whole.rules}) {
    ASSERT_NE(text->find("\"wg-nyc-1\""), std::string::npos);
  }
  auto const rest = without_devices(whole, {"wg-nyc-1"});
  ASSERT_EQ(rest.devices.size(), 1U);
  EXPECT_EQ(rest.devices[0].name, "wg-edge-1");
  EXPECT_EQ(rest.sysctls.size() + 1, whole.sysctls.size());
  for (auto const* const text : {&rest.bird, &rest.rules}) {
    EXPECT_EQ(text->find("wg-nyc-1"), std::string::npos) << *text;
    EXPECT_NE(text->find("\"wg-edge-1\""), std::string::npos) << *text;
  }
  EXPECT_EQ(std::count(rest.bird.begin(), rest.bird.end(), '{'), std::count(rest.bird.begin(), rest.bird.end(), '}'));
  EXPECT_EQ(without_devices(whole, {"wg-other"}).rules, whole.rules);
}

TEST(Bird, KnowsWhenItWasConfiguredByWhomever) {
  bird::Lines const answer{"BIRD 2.0.12", "Current server time is 2026-11-29 20:06:16.875",
                           "Last reboot on 2026-11-29 20:06:16.439", "Last reconfiguration on 2026-11-29 20:06:16.535",
                           "Daemon is up and running"};
  EXPECT_EQ(configured_since(answer),
            "Last reboot on 2026-11-29 20:06:16.439, Last reconfiguration on 2026-11-29 20:06:16.535");
  EXPECT_EQ(configured_since({"nonsense"}), "");
}

TEST(Bird, SeesAConfigurationOfSomebodyElseWithinTheSameSecond) {
  auto const since = [](char const* reboot, char const* taken) {
    return "Last reboot on 2026-11-29 " + std::string(reboot) + ", Last reconfiguration on 2026-11-29 " + taken;
  };
  auto const ours = since("20:06:16.439", "20:06:36.535");
  EXPECT_TRUE(same_configuration(ours, ours));
  EXPECT_TRUE(same_configuration(ours, since("20:06:16.440", "20:06:36.535"))) << "the last digit flickers";
  EXPECT_TRUE(same_configuration(ours, since("20:06:16.801", "20:06:36.897"))) << "a slow answer, or a slewed clock";
  EXPECT_FALSE(same_configuration(ours, since("20:06:16.439", "20:06:36.548"))) << "configured 13 ms later";
  EXPECT_FALSE(same_configuration(ours, since("20:06:19.439", "20:06:39.535"))) << "another start";
  EXPECT_FALSE(same_configuration("", ours));
  EXPECT_FALSE(same_configuration("nonsense", ours));
  EXPECT_TRUE(same_configuration("words of a later BIRD", "words of a later BIRD"));
}

TEST(Bird, ProtocolsOfTheTextThatAreDownWereDisabledByHand) {
  std::string const text =
      "protocol ospf v2 ospf4 {\n}\nprotocol bfd bfd1 {\n}\nprotocol static anycast_dns_4 {\n}\n"
      "protocol bgp upstream_1 {\n}\n";
  auto const row = [](std::string name, std::string state) {
    bird::ProtocolRow out;
    out.name = std::move(name);
    out.state = std::move(state);
    return out;
  };
  EXPECT_EQ(disabled_by_hand({row("ospf4", "down"), row("bfd1", "up"), row("anycast_dns_4", "down"),
                              row("upstream_1", "down"), row("mine", "down"), row("ospf", "down")},
                             text),
            std::vector<std::string>{"ospf4"});
  EXPECT_TRUE(disabled_by_hand({row("ospf4", "start")}, text).empty());
}

TEST(Bird, WithoutTheInstancesOfItsFileItRunsAnother) {
  std::string const text = "protocol ospf v2 ospf4 {\n}\nprotocol ospf v3 ospf6 {\n}\n";
  EXPECT_FALSE(runs_another({{"ospf4", "OSPF", "master4", "up", ""}, {"ospf6", "OSPF", "master6", "down", ""}}, text));
  EXPECT_TRUE(runs_another({{"ospf4", "OSPF", "master4", "up", ""}}, text));
  EXPECT_TRUE(runs_another({}, text));
  EXPECT_FALSE(runs_another({}, "protocol device {\n}\n"));
}

TEST(Sessions, ThroughTheMeshItselfCountAsDead) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  wireguard::ObservedDevice device;
  for (char const* endpoint : {"10.200.0.3:51820", "[fd5e:70::3]:51820", "192.0.2.3:51820", "[2001:db8::3]:51820"}) {
    wireguard::ObservedPeer peer;
    peer.peer.endpoint = wireguard::parse_endpoint(endpoint).value();
    peer.last_handshake_s = 1000;
    device.peers.push_back(peer);
  }
  device.peers.emplace_back().last_handshake_s = 1000;  // without an endpoint
  auto const judged = without_inner_sessions({device}, plan.mesh_prefixes);
  std::vector<std::int64_t> seen;
  for (auto const& peer : judged[0].peers) {
    seen.push_back(peer.last_handshake_s);
  }
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 0, 1000, 1000, 1000}));
}

TEST(Routes, AreWrittenAgainAfterWhatMakesTheKernelDropThem) {
  using Kind = wireguard::Change::Kind;
  auto const loses = [](Kind kind) {
    wireguard::Change change;
    change.kind = kind;
    return loses_routes(change);
  };
  for (auto const kind : {Kind::create_device, Kind::set_up, Kind::add_address, Kind::remove_address}) {
    EXPECT_TRUE(loses(kind));
  }
  for (auto const kind : {Kind::set_mtu, Kind::set_private_key, Kind::add_peer, Kind::update_peer, Kind::remove_peer,
                          Kind::remove_device}) {
    EXPECT_FALSE(loses(kind));
  }
}

}  // namespace
}  // namespace reconcile
