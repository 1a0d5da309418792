#include "topology/load.hpp"

#include "tests/topology/sample.hpp"
#include "topology/allocation.hpp"

#include <gmock/gmock.h>

namespace {

using sample::load;
using sample::problems;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using topology::Role;
using topology::Shape;

// Two linked nodes at two sites: the frame into which the tests put their mistakes.
std::string frame(std::string const& more = "", std::string const& mesh = "") {
  return "name: test\ndomain: Stream.Example\nmesh: {prefix4: 10.9.0.0/16, prefix6: 'fd00:9::/48'" + mesh +
         "}\n"
         "sites: [{name: ams}, {name: nyc}]\n"
         "nodes:\n"
         "  - {name: one, site: ams, role: central, underlay: [198.18.0.1]}\n"
         "  - {name: two, site: nyc, underlay: [198.18.0.2, '2001:db8::2']}\n" +
         more;
}

TEST(Load, ReadsTheThreeSites) {
  auto const t = load(sample::three_sites_text());
  EXPECT_EQ(t.name, "three-sites");
  EXPECT_EQ(t.domain, "stream.example.");
  EXPECT_EQ(t.internal_domain, "internal.");
  EXPECT_EQ(t.mesh.prefix4.to_string(), "10.200.0.0/16");
  EXPECT_EQ(t.mesh.prefix6.to_string(), "fd00:c0de:5::/48");
  EXPECT_EQ(t.mesh.shape, Shape::links);
  EXPECT_EQ(t.mesh.mtu, 1420U);
  EXPECT_EQ(t.mesh.bfd.interval_ms, 100U);
  EXPECT_EQ(t.mesh.bfd.multiplier, 5U);
  ASSERT_EQ(t.sites.size(), 3U);
  ASSERT_EQ(t.nodes.size(), 9U);
  ASSERT_EQ(t.links.size(), 18U);
  ASSERT_EQ(t.areas.size(), 1U);
  EXPECT_EQ(t.areas[0].id, "0.0.0.0");
  auto const* const dns = t.node("dns-sin");
  ASSERT_NE(dns, nullptr);
  EXPECT_EQ(dns->role, Role::central);
  ASSERT_EQ(dns->upstreams.size(), 2U);
  EXPECT_EQ(dns->upstreams[1].neighbor.to_string(), "2001:db8:3::1");
  EXPECT_EQ(dns->upstreams[1].neighbor_asn, 65003U);
  EXPECT_EQ(dns->upstreams[1].local_asn, 65103U);
  auto const* const edge = t.node("edge-nyc-2");
  ASSERT_NE(edge, nullptr);
  EXPECT_EQ(edge->public_addresses, edge->underlay);
  EXPECT_EQ(edge->underlay[0].to_string(), "198.18.2.12");
  ASSERT_EQ(t.services.size(), 1U);
  EXPECT_EQ(t.services[0].check_name, "stream.example.");
  auto const* const cluster = t.cluster("nyc");
  ASSERT_NE(cluster, nullptr);
  EXPECT_EQ(cluster->monitor.type, topology::MonitorType::http);
  EXPECT_EQ(cluster->monitor.port, 80);
  EXPECT_EQ(cluster->monitor.path, "/healthz");
  EXPECT_EQ(cluster->monitor.consecutive_down, 2U);
  EXPECT_EQ(cluster->minimum_origins, 1U);
  ASSERT_TRUE(t.navigator);
  EXPECT_EQ(t.navigator->replicas.size(), 2U);
  EXPECT_EQ(t.navigator->port, 18010);
  ASSERT_TRUE(t.controller);
  EXPECT_EQ(t.controller->node, "dns-ams");
  EXPECT_EQ(t.links_of("dns-ams").size(), 4U);
}

TEST(Load, TheDocumentationQuotesTheExampleAsItIs) {
  auto const page = sample::read_file(std::string(SOURCE_DIR) + "/docs/topology.md");
  EXPECT_THAT(page, HasSubstr("```yaml\n" + sample::three_sites_text() + "```\n"));
}

TEST(Load, TheShortestFileThatWorksUsesTheDefaults) {
  auto const t = load(
      "name: mini\ndomain: mini.example\nsites: [{name: here}]\n"
      "nodes: [{name: a, site: here, underlay: [192.0.2.1]}, {name: b, site: here}]\n");
  EXPECT_EQ(t.mesh.prefix4.to_string(), "10.200.0.0/16");
  EXPECT_EQ(t.mesh.prefix6.prefix_length(), 48);
  EXPECT_EQ(t.mesh.prefix6.network().to_bytes()[0], 0xfd);
  ASSERT_EQ(t.links.size(), 1U);
  EXPECT_EQ(t.links[0], (topology::Link{"a", "b", 5, 1420}));
  EXPECT_FALSE(t.navigator);
  EXPECT_FALSE(t.controller);
  EXPECT_EQ(t.nodes[0].role, Role::edge);
}

TEST(Load, AnotherNameGetsAnotherUlaPrefix) {
  auto const text = [](std::string const& name) {
    return "name: " + name + "\ndomain: x.example\nsites: [{name: s}]\nnodes: [{name: a, site: s}]\n";
  };
  EXPECT_EQ(load(text("one")).mesh.prefix6, load(text("one")).mesh.prefix6);
  EXPECT_NE(load(text("one")).mesh.prefix6, load(text("two")).mesh.prefix6);
}

TEST(Load, TheOrderOfTheFileDoesNotMatter) {
  auto const t = load(
      "name: mini\ndomain: mini.example\nsites: [{name: z}, {name: a}]\nmesh: {shape: links}\n"
      "nodes: [{name: zulu, site: z, underlay: [192.0.2.1]}, {name: alpha, site: a}]\n"
      "links: [{ends: [zulu, alpha]}]\n");
  ASSERT_EQ(t.nodes.size(), 2U);
  EXPECT_EQ(t.nodes[0].name, "alpha");
  EXPECT_EQ(t.sites[0].name, "a");
  EXPECT_EQ(t.links[0].a, "alpha");
  EXPECT_EQ(t.links[0].b, "zulu");
  EXPECT_EQ(t.links[0].cost, 10U);
}

TEST(Load, TheFrameOfTheseTestsIsRight) {
  EXPECT_EQ(problems(frame()), "");
}

TEST(Load, ReportsEveryMissingAndUnknownKeyAtOnce) {
  auto const text = problems("nme: x\nnodes: [{nam: a, site: s}]\n");
  EXPECT_THAT(text, HasSubstr("the key 'name' is missing"));
  EXPECT_THAT(text, HasSubstr("the key 'domain' is missing"));
  EXPECT_THAT(text, HasSubstr("t.yaml:1:1: the key 'nme' is unknown (did you mean 'name'?)"));
  EXPECT_THAT(text, HasSubstr("t.yaml:2:10: nodes[0]: the key 'nam' is unknown (did you mean 'name'?)"));
  EXPECT_THAT(text, HasSubstr("no site is named 's'"));
}

TEST(Load, AFileWithoutNodesIsRefused) {
  EXPECT_THAT(problems("name: x\ndomain: x.example\n"), HasSubstr("there is no node"));
}

struct Mistake {
  std::string more;
  std::string message;
};

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreReported) {
  EXPECT_THAT(problems(frame(GetParam().more)), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Links, Mistakes,
    testing::Values(Mistake{"links: [{ends: [one, tow]}]\n",
                            "t.yaml:8:22: links[0].ends[1]: no node is named 'tow' (did you mean 'two'?)"},
                    Mistake{"links: [{ends: [one, one]}]\n", "'one' cannot be linked to itself"},
                    Mistake{"links: [{ends: [one]}]\n", "a link has two ends"},
                    Mistake{"links: [{ends: [one, two]}, {ends: [two, one]}]\n", "'one' and 'two' are linked twice"},
                    Mistake{"links: [{ends: [one, two], cost: 0}]\n", "links[0].cost: '0' is outside 1 to 65535"},
                    Mistake{"links: [{ends: [one, two], mtu: 1200}]\n",
                            "mtu: with an MTU of 1200 the link cannot carry IPv6 (1280 at least; 1420 fits"}));

INSTANTIATE_TEST_SUITE_P(
    Services, Mistakes,
    testing::Values(
        Mistake{"services: [{name: dns, addresses: [203.0.113.53], nodes: [one, twoo]}]\n",
                "services[0].nodes[1]: no node is named 'twoo' (did you mean 'two'?)"},
        Mistake{"services: [{name: dns, addresses: [], nodes: [one]}]\n", "a service needs an address"},
        Mistake{"services: [{name: dns, addresses: [203.0.113.53], nodes: []}]\n", "no node is named"},
        Mistake{"services: [{name: dns, addresses: [203.0.113.1, 203.0.113.2], nodes: [one]}]\n", "at most one IPv4"},
        Mistake{"services: [{name: dns, addresses: ['2001:db8:1::1', '2001:db8:1::2'], nodes: [one]}]\n",
                "at most one IPv4 and one IPv6"},
        Mistake{"services: [{name: dns, addresses: [10.9.0.53], nodes: [one]}]\n",
                "services[0].addresses[0]: 10.9.0.53 overlaps the mesh prefix, 10.9.0.0/16"},
        Mistake{"services: [{name: dns, addresses: [198.18.0.1], nodes: [one]}]\n",
                "the underlay address of node 'one', 198.18.0.1, is inside the address of service 'dns'"},
        Mistake{"services: [{name: a, addresses: [203.0.113.1], nodes: [one]}, "
                "{name: b, addresses: [203.0.113.1], nodes: [two]}]\n",
                "services[1].addresses[0]: 203.0.113.1 overlaps the address of service 'a'"},
        Mistake{"services: [{name: dns, addresses: [x], nodes: [one]}]\n", "'x' is not a unicast address"},
        Mistake{"services: [{name: a, addresses: [203.0.113.1], nodes: [one], check: {interval_ms: 400, "
                "timeout_ms: 400}}]\n",
                "services[0].check.timeout_ms: the timeout, 400 ms, is not shorter than the interval, 400 ms"},
        Mistake{"services: [{name: a, addresses: [203.0.113.1], nodes: [one], check: {type: tcp, name: a.b}}]\n",
                "means something only for dns"},
        Mistake{"services: [{name: a, addresses: [203.0.113.1], nodes: [one, one]}]\n", "'one' is there twice"}));

INSTANTIATE_TEST_SUITE_P(
    Clusters, Mistakes,
    testing::Values(
        Mistake{"clusters: [{name: c, site: amz, nodes: [one]}]\n", "no site is named 'amz' (did you mean 'ams'?)"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [two]}]\n", "'two' is at site 'nyc', not at 'ams'"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], minimum_origins: 2}]\n", "has only 1 nodes"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {type: htp}}]\n",
                "'htp' is none of tcp, http, https, dns (did you mean 'http'?)"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {path: /x}}]\n", "only for http and https"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {type: http, path: x}}]\n", "is not a path"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {type: http, expected_codes: 20x}}]\n",
                "is no list of status codes"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {type: http, expected_codes: '200-'}}]\n",
                "is no list of status codes"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {qname: example.org}}]\n", "only for dns"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {type: dns, qname: a..b}}]\n",
                "is not a domain name"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one], monitor: {interval_ms: 1000, timeout_ms: 2s}}]\n",
                "the timeout, 2000 ms, is not shorter"},
        Mistake{"clusters: [{name: c, site: ams, nodes: [one]}, {name: c, site: nyc, nodes: [two]}]\n",
                "two clusters are named 'c' (the other is on line 8)"}));

INSTANTIATE_TEST_SUITE_P(
    Segments, Mistakes,
    testing::Values(
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.8.0.0/16}]\n", "segments[0].gateways: no node is named"},
        Mistake{"segments: [{name: s, tenant: t, gateways: [one]}]\n", "needs prefix4, prefix6 or both"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.9.128.0/24, gateways: [one]}]\n",
                "segments[0].prefix4: 10.9.128.0/24 overlaps the mesh prefix, 10.9.0.0/16"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 198.18.0.0/24, gateways: [one]}]\n",
                "nodes[0].underlay[0]: the underlay address of node 'one', 198.18.0.1, is inside the prefix of segment "
                "'s'"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.8.0.0/33, gateways: [one]}]\n",
                "segments[0].prefix4: '10.8.0.0/33' is not an IPv4 network"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.8.0.0/16, nodes: [two], gateways: [two]}]\n",
                "'two' belongs to the segment 's', and a gateway is a node of the platform"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.8.0.0/16, nodes: [two], gateways: [one]}]\n"
                "links: [{ends: [one, two]}]\n",
                "links[0].ends[1]: 'two' belongs to the segment 's'"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.8.0.0/16, nodes: [two], gateways: [one]}, "
                "{name: u, tenant: t, prefix4: 10.7.0.0/16, nodes: [two], gateways: [one]}]\n",
                "'two' is in the segment 's' too"},
        Mistake{"segments: [{name: s, tenant: t, prefix4: 10.8.0.0/16, nodes: [two], gateways: [one]}]\n"
                "controller: {node: two}\n",
                "controller.node: 'two' belongs to the segment"}));

INSTANTIATE_TEST_SUITE_P(Daemons, Mistakes,
                         testing::Values(Mistake{"navigator: {primary: on, replicas: [two]}\n",
                                                 "navigator.primary: no node is named 'on' (did you mean 'one'?)"},
                                         Mistake{"navigator: {primary: one, replicas: [one]}\n", "replica of itself"},
                                         Mistake{"controller: {}\n", "the key 'node' is missing"}));

struct NodeMistake {
  std::string node;
  std::string message;
};

class NodeMistakes : public testing::TestWithParam<NodeMistake> {};

TEST_P(NodeMistakes, AreReported) {
  EXPECT_THAT(problems(frame("  - " + GetParam().node + "\n")), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Nodes, NodeMistakes,
    testing::Values(
        NodeMistake{"{name: one, site: ams, underlay: [198.18.0.9]}",
                    "t.yaml:8:12: nodes[2].name: two nodes are named 'one' (the other is on line 6)"},
        NodeMistake{"{name: Three, site: ams}", "'Three' is not a name"},
        NodeMistake{"{name: a--b, site: ams}", "'a--b' is not a name"},
        NodeMistake{"{name: -a, site: ams}", "'-a' is not a name"},
        NodeMistake{"{name: three, site: ams, underlay: [198.18.0.1]}", "198.18.0.1 is also underlay of node 'one'"},
        NodeMistake{"{name: three, site: ams, underlay: [198.18.0.9, 198.18.0.9]}", "is also underlay of node 'three'"},
        NodeMistake{"{name: three, site: ams, public: [198.18.0.1]}",
                    "198.18.0.1 is the underlay address of node 'one'"},
        NodeMistake{"{name: three, site: ams, underlay: [10.9.1.1]}", "is inside the mesh prefix, 10.9.0.0/16"},
        NodeMistake{"{name: three, site: ams, public: ['fd00:9::1']}", "is inside the mesh prefix, fd00:9::/48"},
        NodeMistake{"{name: three, site: ams, underlay: [127.0.0.1]}", "'127.0.0.1' is not a unicast address"},
        NodeMistake{"{name: three, site: ams, underlay: ['fe80::1']}", "is not a unicast address"},
        NodeMistake{"{name: three, site: ams, underlay: ['::ffff:1.2.3.4']}", "is not a unicast address"},
        NodeMistake{"{name: three, site: ams, role: edg}", "(did you mean 'edge'?)"},
        NodeMistake{"{name: three, site: ams, area: x}", "'x' is not an OSPF area"},
        NodeMistake{"{name: three, site: ams, upstreams: [{neighbor: 192.0.2.1, neighbor_asn: 1, local_asn: 1}]}",
                    "two numbers"},
        NodeMistake{"{name: three, site: ams, upstreams: [{neighbor: x, neighbor_asn: 1, local_asn: 2}]}",
                    "nodes[2].upstreams[0].neighbor: 'x' is not a unicast address"},
        NodeMistake{"{name: three, site: ams, upstreams: [{neighbor: 192.0.2.1, neighbor_asn: 0, local_asn: 2}]}",
                    "'0' is outside 1 to 4294967294"}));

TEST(Load, MeshSettingsMustFitTogether) {
  EXPECT_THAT(problems(frame("", ", ospf: {hello_s: 5, dead_s: 5}")), HasSubstr("is not longer than hello_s"));
  EXPECT_THAT(problems(frame("", ", bfd: {interval_ms: 1}")), HasSubstr("'1' is outside 10 to 60000"));
  EXPECT_THAT(problems(frame("", ", mtu: 100")), HasSubstr("mesh.mtu: with an MTU of 100 the link cannot carry IPv6"));
  EXPECT_THAT(problems(frame("", ", shape: ring")), HasSubstr("'ring' is none of links, full, hub, tiers, cycles"));
}

TEST(Load, CostsFollowLatencyWhereThatIsWantedAndNobodyWroteThem) {
  std::string const link = "links: [{ends: [one, two], cost: 7}]\n";
  auto const fixed = load(frame());
  EXPECT_FALSE(fixed.measured(fixed.links.at(0))) << "fixed is the default";
  auto const measured = load(frame("", ", costs: latency"));
  EXPECT_TRUE(measured.measured(measured.links.at(0)));
  auto const by_hand = load(frame(link, ", costs: latency"));
  EXPECT_FALSE(by_hand.measured(by_hand.links.at(0)));
  EXPECT_THAT(problems(frame("", ", costs: latent")), HasSubstr("'latent' is none of fixed, latency"));
}

TEST(Load, PrefixesMustBeNetworks) {
  auto const with = [](std::string const& mesh) {
    return problems("name: t\ndomain: t.example\nsites: [{name: s}]\nnodes: [{name: a, site: s}]\nmesh: {" + mesh +
                    "}\n");
  };
  EXPECT_EQ(with("prefix4: 10.0.0.0/8"), "");
  for (auto const* wrong : {"10.0.0.1/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08x", "10.0.0.0/0",
                            "10.0.0.0/99999999999999", "10.0.0/8", "'fd00::/48'"}) {
    EXPECT_THAT(with("prefix4: " + std::string(wrong)), HasSubstr("is not an IPv4 network")) << wrong;
  }
  EXPECT_THAT(with("prefix4: 10.0.0.0/31"), HasSubstr("/8 to /30"));
  EXPECT_THAT(with("prefix6: 'fd00::1/48'"), HasSubstr("is not an IPv6 network"));
  EXPECT_THAT(with("prefix6: 'fd00::/126'"), HasSubstr("/16 to /120"));
}

TEST(Load, NodesThatNoLinkReachesAreNamed) {
  auto const text = problems(
      frame("  - {name: three, site: ams, underlay: [198.18.0.3]}\nlinks: [{ends: [one, two]}]\n", ", shape: links"));
  EXPECT_THAT(text, HasSubstr("t.yaml:8:12: nodes[2].name: no path of links leads from 'three' to 'one'"));
  EXPECT_THAT(text, Not(HasSubstr("from 'two'")));
}

TEST(Load, TwoNodesBehindNatCannotBeLinkedByHand) {
  auto const text =
      problems(frame("  - {name: three, site: ams}\n  - {name: four, site: ams}\n"
                     "links: [{ends: [three, four]}]\n"));
  EXPECT_THAT(text, HasSubstr("links[0].ends: neither end can reach the other"));
}

TEST(Load, NodesWithoutACommonFamilyCannotBeLinked) {
  auto const text =
      problems(frame("  - {name: three, site: ams, underlay: ['2001:db8::3']}\n"
                     "links: [{ends: [one, three]}]\n"));
  EXPECT_THAT(text, HasSubstr("no underlay address of a common family"));
}

TEST(Load, AreasMeetOnlyAtTheBackbone) {
  auto const with = [](std::string const& area_one, std::string const& area_two) {
    return "name: t\ndomain: t.example\nsites: [{name: s}]\nmesh: {shape: links}\nnodes:\n"
           "  - {name: one, site: s, area: " +
           area_one + ", underlay: [192.0.2.1]}\n  - {name: two, site: s, area: " + area_two +
           ", underlay: [192.0.2.2]}\nlinks: [{ends: [one, two]}]\n";
  };
  EXPECT_THAT(problems(with("1", "0.0.0.2")), HasSubstr("are in the areas 0.0.0.1 and 0.0.0.2"));
  auto const t = load(with("0", "7"));
  ASSERT_EQ(t.links.size(), 1U);
  EXPECT_EQ(t.area_of(t.links[0]), "0.0.0.7");
  ASSERT_EQ(t.areas.size(), 2U);
  EXPECT_EQ(load(with("7", "7")).areas.size(), 1U);
}

TEST(Load, TheBackboneIsJoinedByItself) {
  auto const with = [](std::string const& area_two, std::string const& more_links) {
    return "name: t\ndomain: t.example\nsites: [{name: s}]\nmesh: {shape: links}\nnodes:\n"
           "  - {name: one, site: s, underlay: [192.0.2.1]}\n  - {name: two, site: s, area: " +
           area_two +
           ", underlay: [192.0.2.2]}\n  - {name: three, site: s, area: 0, underlay: [192.0.2.3]}\n"
           "links: [{ends: [one, two]}, {ends: [two, three]}" +
           more_links + "]\n";
  };
  EXPECT_EQ(load(with("0", "")).areas.size(), 1U);
  EXPECT_EQ(load(with("1", ", {ends: [one, three]}")).areas.size(), 2U);
  EXPECT_THAT(problems(with("1", "")), HasSubstr("both are in the backbone, and no links of it lead from"));
}

TEST(Load, ASegmentsNodesStayOutOfTheMesh) {
  auto const t =
      load(frame("  - {name: box, site: ams, underlay: [198.18.0.3]}\n"
                 "segments: [{name: acme, tenant: acme, prefix4: 10.8.0.0/24, nodes: [box], gateways: [one]}]\n"));
  ASSERT_EQ(t.nodes.size(), 3U);
  EXPECT_EQ(t.links.size(), 1U);
  EXPECT_EQ(t.platform_nodes().size(), 2U);
  ASSERT_NE(t.segment_of("box"), nullptr);
  EXPECT_EQ(t.segment_of("box")->name, "acme");
  EXPECT_EQ(t.segment_of("one"), nullptr);
}

TEST(Load, NamesThatHashAlikeDoNotPass) {
  // A peer whose short name is what another peer's long name hashes to.
  std::string const longer = "a-very-long-node-name";
  auto const wanted = topology::interface_name({longer, "zz", 1, 1420}, "zz").substr(3);
  auto const text =
      problems("name: t\ndomain: t.example\nsites: [{name: s}]\nnodes:\n  - {name: " + longer +
               ", site: s}\n  - {name: '" + wanted + "', site: s}\n  - {name: zz, site: s, underlay: [192.0.2.1]}\n");
  EXPECT_THAT(text, HasSubstr("would get the same interface name wg-" + wanted));
}

TEST(Load, AFullMeshOfTooManyNodesIsRefused) {
  auto const with = [](int count) {
    std::string text = "name: t\ndomain: t.example\nsites: [{name: s}]\nnodes:\n";
    for (int i = 0; i < count; ++i) {
      text += "  - {name: n" + std::to_string(i) + ", site: s, underlay: [192.0.2." + std::to_string(i + 1) + "]}\n";
    }
    return text;
  };
  EXPECT_EQ(load(with(100)).links.size(), 4950U);
  EXPECT_THAT(problems(with(101)), HasSubstr("mesh.shape: the shape full is for at most 100 nodes, here are 101"));
}

TEST(Load, ProblemsComeInTheOrderOfTheFile) {
  auto const loaded = topology::load_topology(
      frame("links: [{ends: [one, tow]}]\nclusters: [{name: c, site: amz, nodes: [one]}]\nzzz: 1\n"), "t.yaml");
  ASSERT_FALSE(loaded);
  auto const& all = loaded.error();
  EXPECT_GE(all.size(), 3U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](auto const& a, auto const& b) {
    return a.place.line < b.place.line;
  })) << base::text(all);
}

TEST(Load, WhatPeopleFixIsTakenAndJudged) {
  auto const with = [](std::string const& nodes, std::string const& links) {
    return "name: t\ndomain: t.example\nsites: [{name: s}]\nmesh: {shape: links}\nnodes:\n"
           "  - {name: a, site: s, underlay: [198.18.0.1], " +
           nodes +
           "}\n"
           "  - {name: b, site: s, underlay: [198.18.0.2], id: 7}\n"
           "  - {name: c, site: s, underlay: [198.18.0.3]}\n"
           "links:\n  - {ends: [b, a], " +
           links + "}\n  - {ends: [b, c], ports: [1002, 1003]}\n";
  };
  auto const t = load(with("id: 9, risks: [rack-1]", "ports: [1000, 1001], risks: [cable-1, cable-2]"));
  EXPECT_EQ(t.node("a")->id, 9U);
  EXPECT_THAT(t.node("a")->risks, ElementsAre("rack-1"));
  EXPECT_EQ(t.links[0].port_a, 1001);  // a is the second of the ends as they are written
  EXPECT_EQ(t.links[0].port_b, 1000);
  EXPECT_THAT(t.links[0].risks, ElementsAre("cable-1", "cable-2"));
  auto const allocation = topology::allocate(t, {}, 1);
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation->nodes.at("a").id, 9U);
  EXPECT_EQ(allocation->nodes.at("c").id, 1U);
  EXPECT_EQ(topology::listen_port(*allocation, t.links[1], "c"), 1003);

  EXPECT_EQ(problems(with("id: 7", "cost: 5")),
            "t.yaml:7:52: nodes[1].id: the id 7 is also that of node 'a' on line 6 (the two would get the same "
            "addresses; leave the key out and a free number is given)\n");
  EXPECT_THAT(problems(with("id: 70000", "cost: 5")),
              HasSubstr("nodes[0].id: the mesh prefixes have room for ids up to"));
  EXPECT_THAT(problems(with("risks: [A b]", "cost: 5")), HasSubstr("nodes[0].risks[0]: 'A b' is not a name"));
  EXPECT_THAT(problems(with("role: edge", "ports: [1002, 5]")),
              HasSubstr("links[1].ports: the port 1002 of 'b' is also that of link a--b on line 10"));
  EXPECT_THAT(problems(with("role: edge", "ports: [x, 5]")), HasSubstr("links[0].ports[0]: 'x' is not a port"));
  EXPECT_THAT(problems(with("role: edge", "ports: [5]")), HasSubstr("links[0].ports: a link listens at two ports"));
}

TEST(Load, ShapesHaveTheirKeysAndANodeOnlySoManyLinks) {
  std::string text = "name: t\ndomain: t.example\nsites: [{name: s}, {name: z}]\nmesh: {MESH}\nnodes:\n";
  for (int i = 1; i <= 12; ++i) {
    text += "  - {name: n" + std::to_string(i) + ", site: " + (i % 2 == 0 ? "s" : "z") + ", role: " +
            (i < 3   ? "central"
             : i < 6 ? "regional"
                     : "edge") +
            ", underlay: [198.18.0." + std::to_string(i) + "]}\n";
  }
  auto const with = [&](std::string const& mesh) { return std::string(text).replace(text.find("MESH"), 4, mesh); };
  EXPECT_EQ(load(with("shape: cycles, cycles: 3, seed: x, tour: [z, s]")).mesh.tour.size(), 2U);
  EXPECT_THAT(problems(with("shape: cycles, tour: [z, y, z]")), HasSubstr("mesh.tour[1]: no site is named 'y'"));
  EXPECT_THAT(problems(with("shape: cycles, tour: [z, y, z]")), HasSubstr("mesh.tour[2]: 'z' is there twice"));
  EXPECT_THAT(problems(with("shape: full, seed: x")), HasSubstr("mesh.seed: means something only with shape: cycles"));
  EXPECT_THAT(problems(with("shape: full, areas_above: 1")), HasSubstr("mesh.areas_above: means something only with"));
  auto const many = problems(with("shape: full, links_per_node: 10"));
  EXPECT_EQ(std::count(many.begin(), many.end(), '\n'), 12);
  EXPECT_THAT(many, HasSubstr("t.yaml:6:12: nodes[0].name: 'n1' would have 11 links, more than links_per_node, 10"));
}

TEST(Load, TiersGiveTheEdgesAreasAboveASizeAndEveryRegionalNodeASecondOneFromDayOne) {
  auto const text = [](int above, std::string const& more) {
    std::string out =
        "name: t\ndomain: t.example\nsites: [{name: s, provider: p}, {name: z, provider: q}]\n"
        "mesh: {shape: tiers, areas_above: " +
        std::to_string(above) + "}\nnodes:\n";
    for (int i = 0; i < 10; ++i) {
      out += "  - {name: n" + std::to_string(i) + ", site: " + (i % 2 == 0 ? "s" : "z") + ", role: " +
             (i < 2   ? "central"
              : i < 5 ? "regional"
                      : "edge") +
             ", underlay: [198.18.0." + std::to_string(i + 1) + "]}\n";
    }
    return out + more;
  };
  auto const flat = load(text(10, ""));
  EXPECT_EQ(flat.areas.size(), 1U);
  for (auto const& node : flat.nodes) {
    EXPECT_EQ(flat.areas_of(node.name).size(), node.role == Role::regional ? 2U : 1U) << node.name;
  }
  auto const parted = load(text(9, ""));
  EXPECT_GT(parted.areas.size(), 1U);
  for (auto const& node : parted.nodes) {
    auto const areas = parted.areas_of(node.name);
    if (node.role == Role::edge) {
      EXPECT_EQ(areas.size(), 1U) << node.name;
      EXPECT_NE(areas[0], "0.0.0.0") << node.name;
    } else {
      EXPECT_EQ(areas[0], "0.0.0.0") << node.name;
      EXPECT_EQ(areas.size() > 1, node.role == Role::regional) << node.name;
    }
  }
  // An edge that somebody linked to another pair's edge stays in the backbone.
  auto const linked = load(text(9, "links: [{ends: [n5, n0]}]\n"));
  EXPECT_EQ(linked.node("n5")->area, "0.0.0.0");
  EXPECT_NE(linked.node("n6")->area, "0.0.0.0");
}

}  // namespace
