#include "mesh/doctor/facts.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>

namespace {

using doctor::LinkCost;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

bird::OspfState const state = {
    {"10.200.0.1", {true, {{"10.200.0.2", {5}}, {"10.200.0.3", {10, 20}}}}},
    {"10.200.0.2", {true, {{"10.200.0.1", {7}}}}},
    {"10.200.0.3", {true, {{"10.200.0.1", {10, 20}}}}},
};

TEST(LinkCosts, HoldBothEndsSayingsAgainstEachOther) {
  auto const costs = doctor::link_costs(state, "ospf4", "10.200.0.1");
  ASSERT_THAT(costs, SizeIs(2));
  EXPECT_EQ(costs[0].router_id, "10.200.0.2");
  EXPECT_THAT(costs[0].own, ElementsAre(5));
  EXPECT_THAT(costs[0].other, ElementsAre(7));
  EXPECT_EQ(costs[1].router_id, "10.200.0.3");
  EXPECT_THAT(costs[1].own, ElementsAre(10, 20));
  EXPECT_THAT(costs[1].other, ElementsAre(10, 20));
}

TEST(LinkCosts, OfARouterThatIsNotThereAreNone) {
  EXPECT_THAT(doctor::link_costs(state, "ospf4", "10.200.0.9"), IsEmpty());
  EXPECT_THAT(doctor::link_costs({}, "ospf4", "10.200.0.1"), IsEmpty());
}

TEST(AgentStatus, AControllerAtRevisionZeroIsBehindToo) {
  for (auto const& [revision, behind] : {std::pair("0", true), std::pair("7", true), std::pair("null", false)}) {
    doctor::Facts facts;
    std::string const status = std::string(R"({"controller": {"behind_revision": )") + revision + "}}";
    EXPECT_TRUE(doctor::add_agent_status(facts, status));
    EXPECT_EQ(facts.controller.behind, behind) << revision;
  }
}

TEST(AgentStatus, BringsControllerServicesAndFailures) {
  doctor::Facts facts;
  EXPECT_TRUE(doctor::add_agent_status(facts, R"({
    "controller": {"url": "https://192.0.2.1", "connected": false, "last_answer_s": 7, "failure": "refused",
                   "certificate_until_s": 9, "clock_ahead_s": -40,
                   "issuer_from_s": 3, "issuer_until_s": 99, "renewal_failure": "refused",
                   "twins": ["198.51.100.9"]},
    "flapping": {"wg-nyc-1": ["192.0.2.3:51820", "198.51.100.9:51820"]},
    "anycast": [{"service": "dns", "address": "198.51.100.53", "announced": false, "reason": "no answer"},
                {"service": "dns", "address": "2001:db8:53::53", "announced": true, "reason": "", "failure": ""}],
    "taken_back": {"revision": 12, "missing": "10.200.0.3", "tries": 1, "next_try_s": 60},
    "failing": ["wg-nyc-1: the port is taken"]})"));
  EXPECT_THAT(facts.controller.twins, ElementsAre("198.51.100.9"));
  EXPECT_THAT(facts.flapping.at("wg-nyc-1"), ElementsAre("192.0.2.3:51820", "198.51.100.9:51820"));
  EXPECT_EQ(facts.taken_back_revision, 12);
  EXPECT_EQ(facts.taken_back_missing, "10.200.0.3");
  EXPECT_TRUE(facts.agent_running);
  EXPECT_EQ(facts.controller.failure, "refused");
  EXPECT_EQ(facts.controller.certificate_until_s, 9);
  EXPECT_EQ(facts.controller.clock_ahead_s, -40);
  EXPECT_EQ(facts.controller.issuer_from_s, 3);
  EXPECT_EQ(facts.controller.issuer_until_s, 99);
  EXPECT_EQ(facts.controller.renewal_failure, "refused");
  EXPECT_THAT(facts.silent_services, ElementsAre(std::pair("dns 198.51.100.53", "no answer")));
  EXPECT_THAT(facts.failures, ElementsAre("wg-nyc-1: the port is taken"));
}

TEST(AgentStatus, OfSomethingElseIsNone) {
  doctor::Facts facts;
  for (char const* text : {"", "[]", "{}", "{\"controller\"", "7"}) {
    EXPECT_FALSE(doctor::add_agent_status(facts, text)) << text;
  }
  EXPECT_FALSE(facts.agent_running);
  EXPECT_TRUE(
      doctor::add_agent_status(facts, R"({"controller": 7, "taken_back": null, "anycast": {}, "failing": [1]})"));
  EXPECT_THAT(facts.failures, IsEmpty());
}

TEST(FactsOf, KnowWhoIsAtTheOtherEnd) {
  auto const facts = doctor::facts_of(plan::sample::world(), "ams-1").value();
  EXPECT_EQ(facts.peer_of_device.at("wg-nyc-1"), "nyc-1");
  EXPECT_EQ(facts.router_id_of_device.at("wg-nyc-1"), "10.200.0.3");
  EXPECT_EQ(facts.echo_target.at("wg-nyc-1").to_string(), "fe80::2:2");
  EXPECT_EQ(facts.plan->node, "ams-1");
  auto const world = plan::sample::world();
  EXPECT_EQ(facts.own_underlay, world.topology.node("ams-1")->underlay);
  EXPECT_EQ(facts.declared_of_device.at("wg-nyc-1"), world.topology.node("nyc-1")->underlay);
  doctor::Facts other;
  other.now_s = 7;
  other.take_world(facts);
  EXPECT_EQ(other.peer_of_device, facts.peer_of_device);
  EXPECT_EQ(other.plan, facts.plan);
  EXPECT_EQ(other.now_s, 7);
  EXPECT_EQ(doctor::facts_of(plan::sample::world(), "nobody").error().code, plan::errc::unknown_node);
}

TEST(FactsOf, KnowAnAreaThatHangsOnOneNode) {
  auto world = plan::sample::world();
  auto& topology = world.topology;
  topology.areas = {{"0.0.0.0"}, {"0.0.0.1"}};
  topology.nodes[1].area = "0.0.0.1";
  topology.nodes[0].border_areas = {"0.0.0.2"};  // one without links, for edges to come
  auto const both = doctor::facts_of(world, "edge-1").value();
  EXPECT_THAT(both.only_border_of_area, IsEmpty());
  topology.links.pop_back();  // edge-1--nyc-1
  EXPECT_THAT(doctor::facts_of(world, "edge-1").value().only_border_of_area,
              ElementsAre(std::pair("0.0.0.1", "ams-1")));
  EXPECT_THAT(doctor::facts_of(world, "ams-1").value().only_border_of_area, ElementsAre(std::pair("0.0.0.1", "ams-1")));
  EXPECT_THAT(doctor::facts_of(world, "nyc-1").value().only_border_of_area, IsEmpty());
}

}  // namespace
