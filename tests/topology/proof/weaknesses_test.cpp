#include "topology/proof/weaknesses.hpp"

#include "tests/topology/sample.hpp"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <set>

namespace {

using proof::Weakness;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using topology::Link;
using topology::Node;
using topology::Topology;

Node node(std::string name, std::string site) {
  Node out;
  out.name = std::move(name);
  out.site = std::move(site);
  out.underlay = {boost::asio::ip::make_address("192.0.2.1")};
  return out;
}

TEST(Weaknesses, AChainIsWeakEverywhereInside) {
  Topology t;
  t.sites = {{"s", "", {}, {}}};
  t.nodes = {node("a", "s"), node("b", "s"), node("c", "s")};
  t.links = {{"a", "b", 1, 1420}, {"b", "c", 1, 1420}};
  auto const found = proof::weaknesses(t);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].kind, Weakness::Kind::node);
  EXPECT_EQ(found[0].name, "b");
  EXPECT_THAT(found[0].cut_off, ElementsAre("c"));
  EXPECT_EQ(found[1].kind, Weakness::Kind::link);
  EXPECT_EQ(found[1].name, "a--b");
  EXPECT_THAT(found[1].cut_off, ElementsAre("a"));
  EXPECT_EQ(found[2].name, "b--c");
  EXPECT_THAT(found[2].cut_off, ElementsAre("c"));
}

TEST(Weaknesses, FindsAProviderThatNoSiteOfItsIs) {
  // A ring over four sites survives each site, but not the two opposite ones that one provider runs.
  Topology t;
  t.sites = {{"s1", "p", {}, {}}, {"s2", "", {}, {}}, {"s3", "p", {}, {}}, {"s4", "", {}, {}}};
  t.nodes = {node("a", "s1"), node("b", "s2"), node("c", "s3"), node("d", "s4")};
  t.links = {{"a", "b", 1, 1420}, {"b", "c", 1, 1420}, {"c", "d", 1, 1420}, {"a", "d", 1, 1420}};
  auto const found = proof::weaknesses(t);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Weakness::Kind::provider);
  EXPECT_EQ(found[0].name, "p");
  EXPECT_THAT(found[0].cut_off, ElementsAre("d"));
}

TEST(Weaknesses, ALongChainDoesNotExhaustTheStack) {
  Topology t;
  for (int i = 0; i < 5000; ++i) {
    t.nodes.push_back(node("n" + std::to_string(10000 + i), "s"));
    if (i > 0) {
      t.links.push_back({"n" + std::to_string(10000 + i - 1), "n" + std::to_string(10000 + i), 1, 1420});
    }
  }
  t.links.push_back({"n10000", "n14999", 1, 1420});
  EXPECT_THAT(proof::weaknesses(t), IsEmpty());
}

using Piece = std::set<std::string>;

// What hangs together without some nodes and one link, by a flood of its own.
std::vector<Piece> pieces_without(Topology const& t, std::function<bool(Node const&)> const& gone, Link const* cut) {
  Piece left;
  for (auto const& one : t.nodes) {
    if (!gone(one)) {
      left.insert(one.name);
    }
  }
  std::vector<Piece> found;
  while (!left.empty()) {
    Piece piece{*left.begin()};
    for (std::size_t before = 0; before != piece.size();) {
      before = piece.size();
      for (auto const& link : t.links) {
        if (&link != cut && (piece.contains(link.a) || piece.contains(link.b)) &&
            (left.contains(link.a) || piece.contains(link.a)) && (left.contains(link.b) || piece.contains(link.b))) {
          piece.insert(link.a);
          piece.insert(link.b);
        }
      }
    }
    for (auto const& name : piece) {
      left.erase(name);
    }
    found.push_back(piece);
  }
  return found;
}

// The largest piece, of equal ones that with the first name; the rest is cut off.
std::string cut_off(std::vector<Piece> const& found) {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < found.size(); ++i) {
    largest = found[i].size() > found[largest].size() ? i : largest;
  }
  Piece rest;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i != largest) {
      rest.insert(found[i].begin(), found[i].end());
    }
  }
  std::string line = ":";
  for (auto const& name : rest) {
    line += " " + name;
  }
  return line;
}

// Takes every single thing out in turn.
std::vector<std::string> brute_force(Topology const& t) {
  std::vector<std::string> out;
  auto const judge = [&](std::string const& what, std::function<bool(Node const&)> const& gone, Link const* cut) {
    // A site or provider without nodes takes nothing with it.
    if (cut == nullptr && std::none_of(t.nodes.begin(), t.nodes.end(), gone)) {
      return;
    }
    if (auto const found = pieces_without(t, gone, cut); found.size() > 1) {
      out.push_back(what + cut_off(found));
    }
  };
  for (auto const& one : t.nodes) {
    judge(
        "node " + one.name, [&](Node const& n) { return n.name == one.name; }, nullptr);
  }
  for (auto const& link : t.links) {
    judge(
        "link " + link.name(), [](Node const&) { return false; }, &link);
  }
  std::set<std::string> providers;
  for (auto const& site : t.sites) {
    judge(
        "site " + site.name, [&](Node const& n) { return n.site == site.name; }, nullptr);
    providers.insert(site.provider);
  }
  for (auto const& provider : providers) {
    judge(
        "provider " + provider, [&](Node const& n) { return t.site(n.site)->provider == provider; }, nullptr);
  }
  return out;
}

TEST(Weaknesses, EqualBruteForceOnRandomGraphs) {
  std::size_t weak = 0;
  std::size_t strong = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    auto const t = sample::random_topology(random, 9);
    std::vector<std::string> found;
    for (auto const& weakness : proof::weaknesses(t)) {
      if (weakness.kind == Weakness::Kind::nothing) {
        continue;  // what is in pieces from the beginning; each further loss is compared below
      }
      constexpr std::array kinds = {"node ", "link ", "site ", "provider "};
      std::string line = kinds[static_cast<std::size_t>(weakness.kind)] + weakness.name + ":";
      for (auto const& name : weakness.cut_off) {
        line += " " + name;
      }
      found.push_back(line);
    }
    (found.empty() ? strong : weak) += 1;
    EXPECT_EQ(found, brute_force(t)) << "seed " << seed;
  }
  // Both kinds must have occurred, or the comparison proves little.
  EXPECT_GT(weak, 50U);
  EXPECT_GT(strong, 50U);
}

TEST(Weaknesses, NameWhatTheyCutOffAndTheCheapestLinkThatMends) {
  Topology t;
  t.sites = {{"ams", "", 52.3, 4.8}, {"fra", "", 50.0, 8.6}, {"nyc", "", 40.6, -73.8}};
  t.nodes = {node("a", "ams"), node("b", "ams"), node("f", "fra"), node("n", "nyc")};
  t.links = {{"a", "b", 5, 1420}, {"a", "n", 10, 1420}, {"b", "n", 10, 1420}, {"b", "f", 10, 1420}};
  auto const found = proof::weaknesses(t);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(proof::to_text(found[0]), "the loss of node b cuts off f; the cheapest link that would mend it is a--f");
  EXPECT_EQ(proof::to_text(found[1]), "the loss of link b--f cuts off f; the cheapest link that would mend it is a--f");
  // Without ams only New York is left to link Frankfurt to.
  EXPECT_EQ(proof::to_text(found[2]), "the loss of site ams cuts off n; the cheapest link that would mend it is f--n");
  auto const links = proof::mends(t, 10);
  ASSERT_EQ(links.size(), 2U);
  for (auto const& link : links) {
    t.links.push_back({link.a, link.b, link.cost, 1420});
  }
  EXPECT_THAT(proof::weaknesses(t), IsEmpty());
}

TEST(Weaknesses, SayWhenNoLinkCanMend) {
  Topology t;
  t.sites = {{"s", "", {}, {}}};
  t.nodes = {node("a", "s"), node("b", "s"), node("c", "s")};
  t.nodes[0].underlay.clear();
  t.nodes[2].underlay.clear();
  t.links = {{"a", "b", 1, 1420}, {"b", "c", 1, 1420}};
  EXPECT_THAT(proof::to_text(proof::weaknesses(t).front()), HasSubstr("no link would mend it"));
  EXPECT_THAT(proof::mends(t, 10), IsEmpty());
}

TEST(Weaknesses, CountServicesAndSegmentsThatHaveNobodyLeft) {
  Topology t;
  t.sites = {{"s1", "p", {}, {}}, {"s2", "p", {}, {}}, {"s3", "q", {}, {}}};
  t.nodes = {node("a", "s1"), node("b", "s2"), node("c", "s3")};
  t.links = {{"a", "b", 1, 1420}, {"a", "c", 1, 1420}, {"b", "c", 1, 1420}};
  topology::Service dns;
  dns.name = "dns";
  dns.nodes = {"a", "b"};
  t.services = {dns};
  topology::Segment acme;
  acme.name = "acme";
  acme.gateways = {"c"};
  t.segments = {acme};
  std::vector<std::string> found;
  for (auto const& weakness : proof::weaknesses(t)) {
    found.push_back(proof::to_text(weakness));
  }
  EXPECT_THAT(found, ElementsAre("the loss of node c takes every node of segment acme; give it a node elsewhere",
                                 "the loss of site s3 takes every node of segment acme; give it a node elsewhere",
                                 "the loss of provider p takes every node of service dns; give it a node elsewhere",
                                 "the loss of provider q takes every node of segment acme; give it a node elsewhere"));
}

TEST(Weaknesses, FindARiskThatLinksShareThoughNoNodeDoes) {
  Topology t;
  t.sites = {{"s", "", {}, {}}};
  t.nodes = {node("a", "s"), node("b", "s"), node("c", "s"), node("d", "s")};
  t.links = {{"a", "b", 1, 1420}, {"b", "c", 1, 1420}, {"c", "d", 1, 1420}, {"a", "d", 1, 1420}};
  t.links[0].risks = {"sea-cable"};
  t.links[2].risks = {"sea-cable"};
  auto const found = proof::weaknesses(t);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Weakness::Kind::risk);
  EXPECT_EQ(found[0].name, "sea-cable");
  EXPECT_THAT(found[0].cut_off, ElementsAre("b", "c"));
}

TEST(Weaknesses, ListFewNamesOfMany) {
  Topology t;
  for (int i = 0; i < 40; ++i) {
    t.nodes.push_back(node("n" + std::to_string(100 + i), "s"));
    if (i > 0) {
      t.links.push_back({"n100", t.nodes.back().name, 1, 1420});
    }
  }
  auto const found = proof::weaknesses(t);
  EXPECT_THAT(proof::to_text(found.front()), HasSubstr("and 26 more; a first of 38 links that would mend it is "));
}

}  // namespace
