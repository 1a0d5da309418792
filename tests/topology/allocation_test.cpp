#include "topology/allocation.hpp"

#include "tests/topology/sample.hpp"

#include <gmock/gmock.h>

#include <set>

namespace {

using ::testing::HasSubstr;
using topology::Allocation;
using topology::errc;
using topology::Link;
using topology::quarantine_s;
using topology::Topology;

Topology with_nodes(std::vector<std::string> const& names) {
  Topology out;
  out.mesh.prefix4 = boost::asio::ip::make_network_v4("10.200.0.0/16");
  out.mesh.prefix6 = boost::asio::ip::make_network_v6("fd00:c0de:5::/48");
  for (auto const& name : names) {
    topology::Node node;
    node.name = name;
    node.underlay = {boost::asio::ip::make_address("192.0.2.1")};
    out.nodes.push_back(node);
  }
  out.links = topology::build_links(out.mesh, out.nodes, {});
  return out;
}

Allocation allocated(Topology const& topology, Allocation const& previous = {}, std::int64_t now_s = 1000) {
  auto const result = topology::allocate(topology, previous, now_s);
  if (!result) {
    ADD_FAILURE() << result.error().what();
    return {};
  }
  return *result;
}

TEST(Allocation, NumbersNodesAndLinksFromOneInOrderOfName) {
  auto const t = with_nodes({"a", "b", "c"});
  auto const allocation = allocated(t);
  EXPECT_EQ(allocation.nodes.at("a").id, 1U);
  EXPECT_EQ(allocation.nodes.at("b").id, 2U);
  EXPECT_EQ(allocation.nodes.at("c").id, 3U);
  EXPECT_EQ(allocation.links.at("a--b").id, 1U);
  EXPECT_EQ(allocation.links.at("b--c").id, 3U);
  EXPECT_EQ(allocation.links.at("a--b").port_a, 51820);
  EXPECT_EQ(allocation.links.at("a--c").port_a, 51821);
  EXPECT_EQ(allocation.links.at("a--b").port_b, 51820);
}

TEST(Allocation, DerivesAddressesNamesAndPorts) {
  auto const t = with_nodes({"a", "b", "c"});
  auto const allocation = allocated(t);
  Link const& link = t.links[2];  // b--c
  EXPECT_EQ(topology::loopback4(t, allocation, "c").to_string(), "10.200.0.3");
  EXPECT_EQ(topology::loopback6(t, allocation, "c").to_string(), "fd00:c0de:5::3");
  EXPECT_EQ(topology::link_local(allocation, link, "b").to_string(), "fe80::3:1");
  EXPECT_EQ(topology::link_local(allocation, link, "c").to_string(), "fe80::3:2");
  EXPECT_EQ(topology::interface_name(link, "b"), "wg-c");
  EXPECT_EQ(topology::interface_name(link, "c"), "wg-b");
  EXPECT_EQ(topology::listen_port(allocation, link, "b"), allocation.links.at("b--c").port_a);
  EXPECT_EQ(topology::listen_port(allocation, link, "c"), allocation.links.at("b--c").port_b);
}

TEST(Allocation, LargeIdsKeepTheirBits) {
  auto t = with_nodes({"a", "b"});
  t.mesh.prefix4 = boost::asio::ip::make_network_v4("10.0.0.0/8");
  Allocation allocation;
  allocation.nodes["a"] = {0x010203, 0};
  allocation.links["a--b"] = {0xdeadbeef, 1, 2, 0};
  EXPECT_EQ(topology::loopback4(t, allocation, "a").to_string(), "10.1.2.3");
  EXPECT_EQ(topology::loopback6(t, allocation, "a").to_string(), "fd00:c0de:5::1:203");
  EXPECT_EQ(topology::link_local(allocation, t.links[0], "b").to_string(), "fe80::dead:beef:2");
}

TEST(Allocation, InterfaceNamesFitTheKernel) {
  Link const fits{"abcdefghijkl", "z", 1, 1420};
  EXPECT_EQ(topology::interface_name(fits, "z"), "wg-abcdefghijkl");
  Link const longer{"abcdefghijklm", "z", 1, 1420};
  auto const name = topology::interface_name(longer, "z");
  EXPECT_EQ(name.size(), 11U);
  EXPECT_EQ(name, topology::interface_name(longer, "z"));
  EXPECT_EQ(name.substr(0, 3), "wg-");
  EXPECT_EQ(topology::interface_name(longer, "abcdefghijklm"), "wg-z");
}

TEST(Allocation, AReturningNodeGetsItsNumberBack) {
  auto const both = with_nodes({"a", "b"});
  auto const before = allocated(both);
  auto const without = allocated(with_nodes({"b"}), before, 2000);
  EXPECT_EQ(without.nodes.at("a").removed_at, 2000);
  EXPECT_EQ(without.links.at("a--b").removed_at, 2000);
  EXPECT_EQ(without.nodes.at("b").removed_at, 0);
  auto const again = allocated(both, without, 2000 + quarantine_s - 1);
  EXPECT_EQ(topology::to_text(again), topology::to_text(before));
}

TEST(Allocation, ANumberInQuarantineIsNotGivenToANewcomer) {
  auto const before = allocated(with_nodes({"a", "b"}));
  auto const gone = allocated(with_nodes({"b"}), before, 2000);
  auto const early = allocated(with_nodes({"b", "c"}), gone, 2000 + quarantine_s - 1);
  EXPECT_EQ(early.nodes.at("c").id, 3U);
  EXPECT_EQ(early.links.at("b--c").id, 2U);
  EXPECT_NE(early.links.at("b--c").port_a, before.links.at("a--b").port_b);
  auto const late = allocated(with_nodes({"b", "c"}), gone, 2000 + quarantine_s);
  EXPECT_EQ(late.nodes.at("c").id, 1U);
  EXPECT_FALSE(late.nodes.contains("a"));
}

TEST(Allocation, TheTimeOfRemovalDoesNotMove) {
  auto const gone = allocated(with_nodes({"b"}), allocated(with_nodes({"a", "b"})), 2000);
  EXPECT_EQ(allocated(with_nodes({"b"}), gone, 5000).nodes.at("a").removed_at, 2000);
}

TEST(Allocation, SaysWhenThePrefixIsFull) {
  auto t = with_nodes({"a", "b", "c"});
  t.mesh.prefix4 = boost::asio::ip::make_network_v4("10.0.0.0/30");
  auto const result = topology::allocate(t, {}, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::exhausted);
  EXPECT_THAT(result.error().detail, HasSubstr("no address left for node c"));
  t.nodes.pop_back();
  EXPECT_TRUE(topology::allocate(t, {}, 1));
}

TEST(Allocation, RefusesAPrefixThatShrankBelowANumberInUse) {
  auto t = with_nodes({"a"});
  Allocation previous;
  previous.nodes["a"] = {77, 0};
  t.mesh.prefix4 = boost::asio::ip::make_network_v4("10.0.0.0/30");
  auto const result = topology::allocate(t, previous, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::exhausted);
}

TEST(Allocation, SaysWhenPortsRunOut) {
  auto t = with_nodes({"a", "b", "c"});
  t.mesh.port_base = 65535;
  auto const result = topology::allocate(t, {}, 1);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().detail, HasSubstr("no UDP port from 65535 up"));
}

// Whatever joins and leaves, in whatever order: who stays keeps every number, and no two share one.
TEST(Allocation, IsStableWhileNodesComeAndGo) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    std::set<std::string> present;
    Allocation allocation;
    std::int64_t now = 1'000'000;
    for (int step = 0; step < 40; ++step) {
      std::string const name = "n" + std::to_string(random() % 12);
      if (!present.erase(name)) {
        present.insert(name);
      }
      now += static_cast<std::int64_t>(random() % (quarantine_s / 4));
      auto const t = with_nodes({present.begin(), present.end()});
      auto const next = allocated(t, allocation, now);
      std::set<std::uint32_t> ids;
      for (auto const& [node, identity] : next.nodes) {
        EXPECT_TRUE(ids.insert(identity.id).second) << "seed " << seed;
        EXPECT_EQ(identity.removed_at == 0, present.contains(node)) << "seed " << seed;
        if (auto const old = allocation.nodes.find(node); old != allocation.nodes.end()) {
          EXPECT_TRUE(old->second.id == identity.id ||
                      (old->second.removed_at > 0 && now - old->second.removed_at >= quarantine_s))
              << "seed " << seed;
        }
      }
      std::set<std::pair<std::string, std::uint16_t>> ports;
      std::set<std::uint32_t> link_ids;
      for (auto const& link : t.links) {
        auto const& identity = next.links.at(link.name());
        EXPECT_EQ(identity.removed_at, 0);
        if (auto const old = allocation.links.find(link.name());
            old != allocation.links.end() && old->second.removed_at == 0) {
          EXPECT_EQ(old->second.id, identity.id) << "seed " << seed;
          EXPECT_EQ(old->second.port_a, identity.port_a) << "seed " << seed;
          EXPECT_EQ(old->second.port_b, identity.port_b) << "seed " << seed;
        }
      }
      for (auto const& [link, identity] : next.links) {
        EXPECT_TRUE(link_ids.insert(identity.id).second) << "seed " << seed;
        EXPECT_TRUE(ports.emplace(link.substr(0, link.find("--")), identity.port_a).second) << "seed " << seed;
        EXPECT_TRUE(ports.emplace(link.substr(link.find("--") + 2), identity.port_b).second) << "seed " << seed;
      }
      auto const round = topology::parse_allocation(topology::to_text(next));
      ASSERT_TRUE(round) << round.error().what();
      EXPECT_EQ(topology::to_text(*round), topology::to_text(next));
      allocation = next;
    }
  }
}

TEST(AllocationText, IsOneSortedLineAnIdentity) {
  Allocation allocation;
  allocation.nodes["removed"] = {2, 1700000000};
  allocation.nodes["a"] = {1, 0};
  allocation.links["a--removed"] = {7, 51820, 51821, 1700000000};
  allocation.links["a--z"] = {8, 51821, 51820, 0, true};
  auto const text = topology::to_text(allocation);
  EXPECT_THAT(text, HasSubstr("\nnode a 1\nnode removed 2 removed 1700000000\n"
                              "link a--removed 7 51820 51821 removed 1700000000\nlink a--z 8 51821 51820 repair\n"));
  auto const parsed = topology::parse_allocation(text);
  ASSERT_TRUE(parsed) << parsed.error().what();
  EXPECT_EQ(topology::to_text(*parsed), text);
}

TEST(AllocationText, AnEmptyFileIsAnEmptyAllocation) {
  auto const parsed = topology::parse_allocation("");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->nodes.empty());
}

TEST(AllocationText, RefusesWhatCouldGiveOneNumberTwice) {
  for (auto const* wrong :
       {"node a 1\nnode b 1\n", "node a 1\nnode a 2\n", "node a 0\n", "node a -1\n", "node a 99999999999\n",
        "node A 1\n", "node a\n", "nodes a 1\n", "node a 1 removed\n", "node a 1 removed x\n", "node a 1 2\n",
        "link a 1 2 3\n", "link b--a 1 2 3\n", "link a--b 1 2\n", "link a--b 1 2 70000\n",
        "link a--b 1 5 5\nlink a--c 2 5 5\n", "link a--b 1 5 5\nlink a--c 1 6 5\n", "link a--b--c 1 2 3\n"}) {
    auto const parsed = topology::parse_allocation(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().code, errc::bad_file);
    EXPECT_THAT(parsed.error().detail, HasSubstr("line ")) << wrong;
  }
}

}  // namespace
