#include "mesh/preview/preview.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <functional>

namespace preview {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

plan::NodePlan planned() {
  plan::PlanOptions options;
  options.rules = true;
  return plan::plan_node(plan::sample::world(), "ams-1", options).value();
}

// As the agent leaves it.
Machine right(plan::NodePlan const& plan) {
  Machine out;
  out.now_s = 1'800'000'000;
  for (auto const& wanted : plan.devices) {
    auto& device = out.devices.emplace_back();
    device.name = wanted.name;
    device.alias = wanted.alias;
    device.wireguard = device.up = true;
    device.mtu = wanted.mtu;
    device.addresses = wanted.addresses;
    device.listen_port = wanted.listen_port;
    for (auto const& peer : wanted.peers) {
      device.peers.push_back({peer, out.now_s - 10, 1, 1});
    }
  }
  out.loopback = out.owned = plan.loopback;
  for (auto const& setting : plan.sysctls) {
    out.sysctls[setting.path] = setting.value;
  }
  out.bird = plan.bird;
  out.rules = guard::Rules::Found::right;
  out.rules_in_use = plan.rules;
  return out;
}

TEST(Preview, OfAMachineThatIsRightIsEmpty) {
  auto const plan = planned();
  auto const found = preview(plan, right(plan));
  EXPECT_THAT(found.changes, IsEmpty());
  EXPECT_EQ(to_text(found), "no change\n");
}

std::vector<std::string> changes(std::function<void(Machine&)> const& edit) {
  auto const plan = planned();
  auto machine = right(plan);
  edit(machine);
  return preview(plan, machine).changes;
}

TEST(Preview, NamesDifferencesOfDevicesAddressesAndSettings) {
  EXPECT_THAT(changes([](Machine& m) { m.devices.front().mtu = 1300; }), ElementsAre(HasSubstr(": set mtu ")));
  EXPECT_THAT(changes([](Machine& m) { m.renamed = {"wg-nyc-1"}; }), ElementsAre("wg-nyc-1: gets its name back"));
  EXPECT_THAT(changes([](Machine& m) { m.loopback.erase(m.loopback.begin()); }),
              ElementsAre("lo: add address 10.200.0.1/32"));
  EXPECT_THAT(changes([](Machine& m) {
                wireguard::Network const old{plan::sample::address("10.200.0.77"), 32};
                m.loopback.push_back(old);
                m.owned.push_back(old);
                m.loopback.push_back({plan::sample::address("192.0.2.50"), 32});  // somebody else's
              }),
              ElementsAre("lo: remove address 10.200.0.77/32"));
  EXPECT_THAT(changes([](Machine& m) { m.loopback_up = false; }), ElementsAre("lo: set up"));
  EXPECT_THAT(changes([](Machine& m) { m.sysctls["net/ipv4/ip_forward"] = "0"; }),
              ElementsAre("set net/ipv4/ip_forward to 1 (now 0)"));
}

TEST(Preview, NamesDifferencesOfRulesAndRouting) {
  EXPECT_THAT(changes([](Machine& m) { m.rules = guard::Rules::Found::absent; }),
              ElementsAre("rules: table inet privateer written, which is not there"));
  EXPECT_THAT(changes([](Machine& m) { m.rules = guard::Rules::Found::damaged; }),
              ElementsAre("rules: table inet privateer written anew: somebody changed it"));
  EXPECT_THAT(changes([](Machine& m) {
                m.rules = guard::Rules::Found::other_text;
                m.rules_in_use += "an old line\n";
              }),
              ElementsAre("rules: - an old line"));
  EXPECT_THAT(changes([](Machine& m) { m.rules.reset(); }), IsEmpty()) << "none are kept";
  EXPECT_THAT(changes([](Machine& m) { *m.bird += "protocol device { }\n"; }),
              ElementsAre("bird.conf: - protocol device { }", "bird: takes the configuration of revision 7"));
  EXPECT_THAT(changes([](Machine& m) { m.bird_runs = false; }),
              ElementsAre("bird: does not run; it starts with this configuration"));
  EXPECT_THAT(changes([](Machine& m) { m.strays = {"192.0.2.0/24 over wg-nyc-1"}; }),
              ElementsAre("route to 192.0.2.0/24 over wg-nyc-1 removed: it is not BIRD's"));
}

TEST(Preview, ANewMachineIsMadeInTheOrderOfTheAgent) {
  auto const plan = planned();
  Machine machine;
  machine.bird_runs = false;
  machine.rules = guard::Rules::Found::absent;
  for (auto const& setting : plan.sysctls) {
    if (setting.path.find("/wg-") == std::string::npos) {
      machine.sysctls[setting.path] = "0";
    }
  }
  auto const found = preview(plan, machine);
  EXPECT_THAT(found.conflicts, IsEmpty());
  auto const first = [&](std::string const& part) {
    return std::find_if(found.changes.begin(), found.changes.end(),
                        [&](std::string const& one) { return one.find(part) != std::string::npos; }) -
           found.changes.begin();
  };
  auto const count = std::ssize(found.changes);
  for (auto const* part :
       {": create", "set net/", "lo: add address", "rules: ", "bird.conf: + ", "bird: does not run"}) {
    EXPECT_LT(first(part), count) << part;
  }
  EXPECT_LT(first(": create"), first("set net/"));
  EXPECT_LT(first("set net/"), first("lo: add"));
  EXPECT_LT(first("lo: add"), first("rules: "));
  EXPECT_LT(first("rules: "), first("bird.conf: + "));
  EXPECT_THAT(found.changes, Contains(HasSubstr("net/ipv4/conf/wg-nyc-1/"))) << "settings of devices to come";
}

TEST(Preview, WhatIsLeftOverGoesLastAndWhatIsInTheWayStays) {
  auto const plan = planned();
  auto machine = right(plan);
  auto stale = machine.devices.front();
  stale.name = "wg-gone";
  stale.alias = "ams-1--gone";
  machine.devices.push_back(stale);
  machine.devices.front().wireguard = false;
  *machine.bird += "x\n";
  auto const found = preview(plan, machine);
  EXPECT_EQ(found.changes.back(), "wg-gone: remove, once every other link is Full");
  EXPECT_THAT(found.conflicts, ElementsAre(plan.devices.front().name + ": exists and is not ours"));
  machine = right(plan);
  machine.sysctls.erase("net/ipv4/ip_forward");
  EXPECT_THAT(preview(plan, machine).conflicts, ElementsAre("the kernel has no setting net/ipv4/ip_forward"));
}

TEST(Preview, SaysWhoHasNotJoinedAndWhatWasNotSeen) {
  auto world = plan::sample::world();
  world.keys.erase("nyc-1");
  auto const plan = plan::plan_node(world, "ams-1").value();
  auto machine = right(plan);
  machine.blind = {"rules: nft is not installed"};
  auto const found = preview(plan, machine);
  EXPECT_EQ(
      to_text(found),
      "not seen: rules: nft is not installed\nwaiting: ams-1--nyc-1 (the other node has not joined)\nno change\n");
  auto const object = boost::json::parse(to_json(plan, found)).as_object();
  EXPECT_EQ(object.at("node").as_string(), "ams-1");
  EXPECT_EQ(object.at("waiting").at(0).as_string(), "ams-1--nyc-1");
  EXPECT_EQ(object.at("blind").as_array().size(), 1U);
  EXPECT_TRUE(object.at("changes").as_array().empty());
}

}  // namespace
}  // namespace preview
