#include "mesh/doctor/doctor.hpp"

#include "base/net/task.hpp"
#include "mesh/wireguard/error.hpp"
#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <functional>

namespace {

using doctor::Facts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t now_s = 1'800'000'000;
std::string const node = "ams-1";

wireguard::ObservedDevice running(wireguard::Device const& wanted, unsigned index) {
  wireguard::ObservedDevice out;
  out.name = wanted.name;
  out.alias = wanted.alias;
  out.index = index;
  out.kind = "wireguard";
  out.wireguard = out.up = true;
  out.mtu = wanted.mtu;
  out.addresses = wanted.addresses;
  out.listen_port = wanted.listen_port;
  for (auto const& peer : wanted.peers) {
    out.peers.push_back({peer, now_s - 20, 5000, 6000});
  }
  return out;
}

// Everything as the plan wants it.
Facts healthy() {
  Facts facts;
  auto const world = plan::sample::world();
  auto made = plan::plan_node(world, node).value();
  facts.now_s = now_s;
  facts.node = node;
  facts.plan = std::make_shared<plan::NodePlan const>(made);
  unsigned index = 5;
  for (auto const& device : made.devices) {
    facts.devices.push_back(running(device, index++));
    facts.peer_of_device[device.name] = device.name.substr(3);
    facts.router_id_of_device[device.name] = "10.200.0." + std::to_string(index);
    for (std::string const protocol : {"ospf4", "ospf6"}) {
      std::string const address = (protocol == "ospf4" ? "10.200.0." : "fe80::") + std::to_string(index);
      facts.neighbors.push_back({protocol, facts.router_id_of_device[device.name], "Full", device.name, address, 3});
      facts.bfd.push_back({address, device.name, "Up", 0.1, 0.5});
      facts.costs.push_back({protocol, facts.router_id_of_device[device.name], {10}, {10}});
    }
    facts.probes.push_back({device.name, device.mtu, true, true, std::chrono::microseconds(900), 0});
    facts.loss_percent[device.name] = 0;
    if (device.peers[0].endpoint) {
      facts.endpoint_routes.push_back({device.name, *device.peers[0].endpoint, "eth0"});
    }
  }
  facts.loopback = made.loopback;
  facts.loopback_known = true;
  for (auto const& setting : made.sysctls) {
    facts.sysctls[setting.path] = setting.value;
  }
  facts.backend = "kernel";
  facts.kernel_has_wireguard = true;
  facts.bird_running = true;
  facts.agent_running = true;
  facts.controller = {"https://192.0.2.1:18012", true, now_s - 10, "", now_s + 200000, 0};
  facts.snapshot_s = now_s - 3600;
  facts.agent_revision = facts.kept_revision = made.revision;
  facts.own_underlay = facts.local_addresses = facts.sources = {plan::sample::address("192.0.2.1")};
  for (auto const& device : facts.devices) {
    if (device.peers.front().peer.endpoint) {
      facts.declared_of_device[device.name] = {device.peers.front().peer.endpoint->address};
    }
  }
  return facts;
}

std::vector<std::string> codes(Facts const& facts) {
  std::vector<std::string> out;
  for (auto const& finding : doctor::examine(facts)) {
    out.push_back(finding.code);
    EXPECT_FALSE(finding.what.empty());
    EXPECT_FALSE(finding.fix.empty()) << finding.code;
  }
  return out;
}

wireguard::ObservedDevice& first(Facts& facts) {
  return facts.devices.at(0);
}

void change_plan(Facts& facts, std::function<void(plan::NodePlan&)> const& change) {
  auto copy = *facts.plan;
  change(copy);
  facts.plan = std::make_shared<plan::NodePlan const>(std::move(copy));
}

TEST(Doctor, FindsNothingOnAHealthyNode) {
  EXPECT_THAT(codes(healthy()), IsEmpty());
}

struct Fault {
  char const* code;
  std::function<void(Facts&)> make;
};

std::vector<Fault> device_faults() {
  return {
      {"device-missing", [](Facts& f) { f.devices.erase(f.devices.begin()); }},
      {"device-foreign", [](Facts& f) { first(f).wireguard = false; }},
      {"device-down", [](Facts& f) { first(f).up = false; }},
      {"device-stale",
       [](Facts& f) {
         auto stale = first(f);
         stale.name = "wg-gone";
         f.devices.push_back(stale);
       }},
      {"port-differs", [](Facts& f) { first(f).listen_port = 1; }},
      {"mtu-differs", [](Facts& f) { first(f).mtu = 1300; }},
      {"mtu-black-hole", [](Facts& f) { f.probes[0].full_answered = false; }},
      {"lossy-link",
       [](Facts& f) {
         f.probes[0].small_lost = 1;
         f.loss_percent[f.probes[0].device] = 5;
       }},
      {"link-local-missing",
       [](Facts& f) { std::erase_if(first(f).addresses, [](auto const& a) { return a.text().starts_with("fe80"); }); }},
      {"address-foreign",
       [](Facts& f) { first(f).addresses.push_back(wireguard::parse_network("192.0.2.9/24").value()); }},
      {"loopback-missing", [](Facts& f) { f.loopback.pop_back(); }},
      {"peer-missing", [](Facts& f) { first(f).peers.clear(); }},
      {"peer-foreign",
       [](Facts& f) {
         wireguard::ObservedPeer stranger = first(f).peers[0];
         stranger.peer.public_key = plan::sample::key(77);
         first(f).peers.push_back(stranger);
       }},
      {"allowed-ips", [](Facts& f) { first(f).peers[0].peer.allowed_ips.pop_back(); }},
      {"endpoint-through-mesh", [](Facts& f) { f.endpoint_routes.at(0).interface = "wg-else"; }},
      {"endpoint-unroutable", [](Facts& f) { f.endpoint_routes.at(0).interface.clear(); }},
  };
}

std::vector<Fault> session_faults() {
  auto const silent = [](Facts& f) {
    std::erase_if(f.neighbors, [&](auto const& one) { return one.interface == first(f).name; });
    f.probes[0].small_answered = f.probes[0].full_answered = false;
  };
  return {
      {"no-handshake",
       [=](Facts& f) {
         first(f).peers[0].last_handshake_s = now_s - 500;
         silent(f);
       }},
      {"port-blocked",
       [=](Facts& f) {
         first(f).peers[0].last_handshake_s = 0;
         first(f).peers[0].rx_bytes = 0;
         first(f).peers[0].peer.endpoint = wireguard::parse_endpoint("192.0.2.7:51820").value();
         silent(f);
       }},
      {"clock-skew", [](Facts& f) { first(f).peers[0].last_handshake_s = now_s + 4000; }},
  };
}

std::vector<Fault> routing_faults() {
  return {
      {"bird-down", [](Facts& f) { f.bird_running = false; }},
      {"adjacency-missing", [](Facts& f) { f.neighbors.erase(f.neighbors.begin()); }},
      {"adjacency-stuck", [](Facts& f) { f.neighbors[0].state = "ExStart"; }},
      {"router-id", [](Facts& f) { f.neighbors[0].router_id = "10.200.9.9"; }},
      {"full-without-bfd", [](Facts& f) { f.bfd.erase(f.bfd.begin()); }},
      {"asymmetric-cost", [](Facts& f) { f.costs[0].other = {11}; }},
      {"area-hazard", [](Facts& f) { f.only_border_of_area["0.0.0.1"] = "ams-1"; }},
      {"service-withdrawn", [](Facts& f) { f.silent_services["dns"] = "no answer within 400 ms"; }},
  };
}

std::vector<Fault> node_faults() {
  return {
      {"no-world",
       [](Facts& f) {
         f.plan = nullptr;
         f.agent_revision = f.kept_revision = -1;
       }},
      {"plan",
       [](Facts& f) { change_plan(f, [](auto& p) { p.warnings.emplace_back("area 7 hangs on one border"); }); }},
      {"advertisements-ignored", [](Facts& f) { f.deaf_to_routers = {"eth0"}; }},
      {"sysctl", [](Facts& f) { f.sysctls.begin()->second = "7"; }},
      {"controller-unreachable",
       [](Facts& f) {
         f.controller.connected = false;
         f.controller.failure = "connection refused";
       }},
      {"controller-behind",
       [](Facts& f) {
         f.controller.connected = false;
         f.controller.behind = true;
         f.controller.failure = "it is at revision 90 and knows nothing of 100";
       }},
      {"clock-skew", [](Facts& f) { f.controller.clock_ahead_s = -31; }},
      {"credential-expired", [](Facts& f) { f.controller.certificate_until_s = now_s; }},
      {"credential-expiring", [](Facts& f) { f.controller.certificate_until_s = now_s + 3600; }},
      {"issuer-expired", [](Facts& f) { f.controller.issuer_until_s = now_s; }},
      {"issuer-expiring",
       [](Facts& f) {
         f.controller.issuer_from_s = now_s - 61 * 86400;
         f.controller.issuer_until_s = now_s + 29 * 86400;
       }},
      {"snapshot-damaged", [](Facts& f) { f.damaged_snapshots.emplace_back("world-7: the checksum is wrong"); }},
      {"snapshot-missing", [](Facts& f) { f.snapshot_s = 0; }},
      {"unprivileged", [](Facts& f) { f.limits.emplace_back("names.hosts: /etc/hosts is root's"); }},
      {"world-taken-back",
       [](Facts& f) {
         f.taken_back_revision = 12;
         f.taken_back_missing = "10.200.0.3";
       }},
      {"world-on-trial", [](Facts& f) { f.agent_revision = f.plan->revision + 1; }},
      {"duplicate-node", [](Facts& f) { f.controller.twins = {"198.51.100.9"}; }},
      {"endpoint-flaps",
       [](Facts& f) {
         f.flapping[first(f).name] = {"192.0.2.9:51820", "198.51.100.9:51820"};
         f.neighbors.erase(f.neighbors.begin());  // follows from it
         first(f).peers.front().peer.endpoint->address = plan::sample::address("198.51.100.9");
       }},
      {"address-moved", [](Facts& f) { f.local_addresses = f.sources = {plan::sample::address("192.0.2.77")}; }},
      {"endpoint-moved",
       [](Facts& f) {
         for (auto& device : f.devices) {
           if (f.declared_of_device.contains(device.name)) {
             device.peers.front().peer.endpoint->address = plan::sample::address("198.51.100.9");
             break;
           }
         }
       }},
      {"agent-down", [](Facts& f) { f.agent_running = false; }},
      {"agent-failure", [](Facts& f) { f.failures.emplace_back("wg-nyc-1: the port is taken"); }},
      {"disk-full", [](Facts& f) { f.state_free_bytes = 4096; }},
      {"userspace-wireguard", [](Facts& f) { f.backend = "wireguard-go"; }},
  };
}

void each_is_named_alone(std::vector<Fault> const& faults) {
  for (auto const& fault : faults) {
    Facts facts = healthy();
    fault.make(facts);
    EXPECT_THAT(codes(facts), ElementsAre(fault.code)) << fault.code;
  }
}

TEST(Doctor, NamesEachFaultOfADeviceAndNothingElse) {
  each_is_named_alone(device_faults());
}
TEST(Doctor, NamesEachFaultOfASessionAndNotWhatFollowsFromIt) {
  each_is_named_alone(session_faults());
}
TEST(Doctor, NamesEachFaultOfRouting) {
  each_is_named_alone(routing_faults());
}
TEST(Doctor, NamesEachFaultOfTheNode) {
  each_is_named_alone(node_faults());
}

TEST(Doctor, TheFirstWorldOfAnAgentIsOnTrial) {
  Facts facts = healthy();
  facts.agent_revision = 1;
  facts.plan = nullptr;
  facts.snapshot_s = 0;
  facts.kept_revision = -1;
  EXPECT_THAT(codes(facts), ElementsAre("world-on-trial"));
}

// A world that never holds: the doctor has it from the agent and examines the machine by it.
TEST(Doctor, FaultsAreNamedWhileAWorldDoesNotHold) {
  Facts facts = healthy();
  change_plan(facts, [](plan::NodePlan& plan) { plan.revision += 1; });
  facts.agent_revision = facts.plan->revision;
  facts.failures = {"writing bird.conf: no space"};
  facts.bfd.erase(facts.bfd.begin());
  EXPECT_THAT(codes(facts), ElementsAre("agent-failure", "full-without-bfd", "world-on-trial"));
  facts.agent_revision += 1;
  EXPECT_THAT(codes(facts), ElementsAre("agent-failure", "world-on-trial")) << "what it made for another is no damage";
}

TEST(Doctor, AnAddressOfASessionThatEndedSaysNothing) {
  Facts facts = healthy();
  for (auto& device : facts.devices) {
    device.peers.front().last_handshake_s = now_s - 4000;
    if (device.peers.front().peer.endpoint) {
      device.peers.front().peer.endpoint->address = plan::sample::address("198.51.100.9");
    }
  }
  EXPECT_THAT(codes(facts), testing::Not(testing::Contains("endpoint-moved")));
}

TEST(Doctor, AMissedAnswerOfTheControllerIsNoFinding) {
  Facts facts = healthy();
  facts.controller.connected = false;
  facts.controller.last_answer_s = now_s - doctor::controller_patience_s;
  EXPECT_THAT(codes(facts), IsEmpty());
  facts.controller.last_answer_s -= 1;
  EXPECT_THAT(codes(facts), ElementsAre("controller-unreachable"));
}

TEST(Doctor, ANodeWithoutAControllerIsHealthy) {
  Facts facts = healthy();
  facts.controller = {};
  EXPECT_THAT(codes(facts), IsEmpty());
}

TEST(Doctor, ADrainedNodeIsNoAsymmetry) {
  Facts facts = healthy();
  facts.costs[0].other = {0xffff};
  EXPECT_THAT(codes(facts), IsEmpty());
}

TEST(Doctor, AnOldSnapshotMattersOnlyWhileTheControllerIsAway) {
  Facts facts = healthy();
  facts.snapshot_s = now_s - doctor::snapshot_old_s - 1;
  EXPECT_THAT(codes(facts), IsEmpty());
  facts.controller.connected = false;
  facts.controller.last_answer_s = 0;
  EXPECT_THAT(codes(facts), ElementsAre("controller-unreachable", "snapshot-old"));
}

TEST(Doctor, AHungWireGuardIsNamedAndNothingIsConcludedFromIt) {
  Facts facts = healthy();
  auto& device = first(facts);
  device.peers.clear();
  device.listen_port = 0;
  device.kind = "tun";
  device.unread = net::errc::timed_out;
  EXPECT_THAT(codes(facts), ElementsAre("device-hangs"));
  device.mtu = 1300;
  EXPECT_THAT(codes(facts), ElementsAre("device-hangs", "mtu-differs")) << "its link is known";
}

TEST(Doctor, WhatWasNotSeenIsSaidAndNothingElse) {
  Facts facts = healthy();
  for (auto& device : facts.devices) {
    device.peers.clear();
    device.listen_port = 0;
    device.unread = wireguard::errc::no_permission;
  }
  facts.blind = {"the sessions of wg-x: CAP_NET_ADMIN is missing"};
  EXPECT_THAT(codes(facts), ElementsAre("not-seen"));
  facts.devices.clear();
  facts.devices_seen = false;
  facts.blind = {"devices: no netlink", "echoes: CAP_NET_RAW is missing"};
  EXPECT_THAT(codes(facts), ElementsAre("not-seen", "not-seen"));
  auto const report = boost::json::parse(doctor::to_json(node, doctor::examine(facts), facts.blind)).as_object();
  EXPECT_FALSE(report.at("healthy").as_bool());
  EXPECT_EQ(report.at("blind").at(1).as_string(), "echoes: CAP_NET_RAW is missing");
}

TEST(Doctor, ABirdThatIsDownIsToldOnce) {
  Facts facts = healthy();
  facts.bird_running = false;
  facts.blind = {"BIRD: no such file"};
  EXPECT_THAT(codes(facts), ElementsAre("bird-down"));
}

TEST(Doctor, ADeviceOfSomebodyElseIsNotStale) {
  Facts facts = healthy();
  auto theirs = first(facts);
  theirs.name = "wg-home";
  theirs.alias = "";
  facts.devices.push_back(theirs);
  theirs.name = "wg-office";
  theirs.alias = "home--office";
  facts.devices.push_back(theirs);
  theirs.name = "wg-bridge";
  theirs.alias = first(facts).alias;
  theirs.kind = "bridge";
  theirs.wireguard = false;
  facts.devices.push_back(theirs);
  EXPECT_THAT(codes(facts), IsEmpty());
}

TEST(Doctor, AFullSizeProbeSaysNothingWhereSmallOnesAreLostToo) {
  Facts facts = healthy();
  facts.probes[0].small_answered = facts.probes[0].full_answered = false;
  EXPECT_THAT(codes(facts), IsEmpty());
}

TEST(Doctor, ALinkThatIsWellAgainOrLostASingleEchoIsNotBlamed) {
  auto facts = healthy();
  facts.probes[0].small_lost = 2;
  EXPECT_THAT(codes(facts), IsEmpty()) << "now, and not in the last minute";
  facts.probes[0].small_lost = 0;
  facts.loss_percent[facts.probes[0].device] = 40;
  EXPECT_THAT(codes(facts), IsEmpty()) << "in the last minute, and not now";
}

TEST(Doctor, IsReadByPeopleAndPrograms) {
  Facts facts = healthy();
  facts.bird_running = false;
  auto const findings = doctor::examine(facts);
  EXPECT_EQ(doctor::to_text(node, {}, true), "ams-1: nothing found\n");
  auto const text = doctor::to_text(node, findings, false);
  EXPECT_THAT(text, HasSubstr("ams-1: error: BIRD does not answer on its control socket [bird-down]\n    fix: "));
  EXPECT_THAT(doctor::to_text(node, findings, true), HasSubstr("\x1b[31merror\x1b[0m"));
  auto const object = boost::json::parse(doctor::to_json(node, findings)).as_object();
  EXPECT_FALSE(object.at("healthy").as_bool());
  EXPECT_EQ(object.at("findings").at(0).at("code").as_string(), "bird-down");
  EXPECT_TRUE(boost::json::parse(doctor::to_json(node, {})).at("healthy").as_bool());
}

}  // namespace
