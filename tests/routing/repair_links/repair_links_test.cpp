#include "routing/repair_links/repair_links.hpp"

#include "routing/backup/alternates.hpp"
#include "routing/backup/survey.hpp"
#include "topology/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>
#include <set>
#include <string_view>

namespace {

using repair_links::choose;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using topology::Allocation;
using topology::Graph;
using topology::Link;
using topology::Role;
using topology::Topology;

std::string name_of(int i) {
  return "n" + std::to_string(10 + i);
}

Link link(int a, int b, std::uint32_t cost = 10) {
  Link out;
  out.a = std::min(name_of(a), name_of(b));
  out.b = std::max(name_of(a), name_of(b));
  out.cost = cost;
  return out;
}

Topology world(int count, std::vector<Link> links) {
  Topology out;
  out.mesh.repair_links = true;
  out.mesh.prefix4 = boost::asio::ip::make_network_v4("10.200.0.0/16");
  out.mesh.prefix6 = boost::asio::ip::make_network_v6("fd5e:70::/48");
  out.areas = {{"0.0.0.0"}};
  for (int i = 0; i < count; ++i) {
    topology::Node node;
    node.name = name_of(i);
    node.site = "s" + std::to_string(i);
    node.area = "0.0.0.0";
    node.underlay = {boost::asio::ip::make_address("198.18.0." + std::to_string(i + 1))};
    out.nodes.push_back(node);
    out.sites.push_back({node.site, "", std::nullopt, std::nullopt});
  }
  out.links = std::move(links);
  std::sort(out.links.begin(), out.links.end(),
            [](Link const& x, Link const& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
  return out;
}

Topology ring(int count) {
  std::vector<Link> links;
  for (int i = 0; i < count; ++i) {
    links.push_back(link(i, (i + 1) % count));
  }
  return world(count, std::move(links));
}

std::vector<std::string> names(repair_links::Choice const& choice) {
  std::vector<std::string> out;
  for (auto const& chosen : choice.links) {
    out.push_back(chosen.link.name());
  }
  return out;
}

std::vector<std::string> chosen_names(Topology const& topology) {
  std::vector<std::string> out;
  for (auto const& one : topology.links) {
    if (one.repair) {
      out.push_back(one.name());
    }
  }
  return out;
}

Topology completed(Topology topology, Allocation const& previous = {}) {
  repair_links::complete(topology, previous, false);
  return topology;
}

bool whole_campaign() {
  auto const* const text = std::getenv("SOVEREIGN_LONG");
  return text != nullptr && std::string_view(text) == "1";
}

TEST(RepairLinks, ThreeOfThemCoverARingOfFive) {
  auto const choice = choose(ring(5), {});
  EXPECT_THAT(choice.links, SizeIs(3));
  EXPECT_LT(choice.covered, choice.cases);
  EXPECT_EQ(choice.covered_with, choice.cases);
  std::size_t sum = choice.covered;
  for (auto const& chosen : choice.links) {
    EXPECT_TRUE(chosen.link.repair);
    EXPECT_EQ(chosen.link.cost, repair_links::cost);
    EXPECT_GT(chosen.cases, 0U);
    sum += chosen.cases;
  }
  EXPECT_EQ(sum, choice.covered_with);
  auto const survey = backup::survey(completed(ring(5)), 1000);
  EXPECT_EQ(survey.covered, survey.cases) << "and the survey of the whole says the same";
}

TEST(RepairLinks, AreNotMadeWhereAlternatesAreOrWhereNobodyWantsThem) {
  std::vector<Link> all;
  for (int i = 0; i < 5; ++i) {
    for (int j = i + 1; j < 5; ++j) {
      all.push_back(link(i, j));
    }
  }
  EXPECT_THAT(choose(world(5, all), {}).links, IsEmpty());
  auto off = ring(5);
  off.mesh.repair_links = false;
  EXPECT_THAT(chosen_names(completed(off)), IsEmpty());
  auto areas = ring(5);
  areas.areas.push_back({"0.0.0.1"});
  EXPECT_THAT(choose(areas, {}).links, IsEmpty());
  EXPECT_FALSE(choose(areas, {}).why_none.empty());
}

TEST(RepairLinks, LeadToNoEdgeFromAnEdgeWhereThereAreHubs) {
  auto t = ring(8);
  EXPECT_THAT(choose(t, {}).links, SizeIs(4));
  t.nodes[0].role = Role::central;
  t.nodes[3].role = Role::regional;
  auto const choice = choose(t, {});
  EXPECT_THAT(choice.links, Not(IsEmpty()));
  for (auto const& chosen : choice.links) {
    auto const ends = std::set<std::string>{chosen.link.a, chosen.link.b};
    EXPECT_TRUE(ends.contains(name_of(0)) || ends.contains(name_of(3))) << chosen.link.name();
  }
}

TEST(RepairLinks, KeepToLimitsAndToWhomCanBeReached) {
  auto narrow = ring(9);
  narrow.mesh.links_per_node = 3;
  std::map<std::string, int> degree;
  for (auto const& one : choose(narrow, {}).links) {
    EXPECT_EQ(++degree[one.link.a], 1);
    EXPECT_EQ(++degree[one.link.b], 1);
  }
  EXPECT_FALSE(degree.empty());
  auto full = ring(9);
  full.mesh.links_per_node = 2;
  EXPECT_THAT(choose(full, {}).links, IsEmpty());

  auto nat = ring(6);
  nat.nodes[0].underlay.clear();
  nat.nodes[3].underlay.clear();
  EXPECT_THAT(names(choose(nat, {})), Not(Contains(name_of(0) + "--" + name_of(3))));
  nat.nodes[3].underlay = {boost::asio::ip::make_address("198.18.0.4")};
  EXPECT_THAT(names(choose(nat, {})), Contains(name_of(0) + "--" + name_of(3)));
}

TEST(RepairLinks, PreferWhatDoesNotShareTheFateOfWhatFails) {
  // Both ways around are alike, but one leads by the provider of the node that may be gone.
  auto t = world(4, {link(0, 1), link(1, 2), link(1, 3)});
  t.links.push_back(link(2, 3, 25));
  for (int i = 0; i < 4; ++i) {
    t.sites[static_cast<std::size_t>(i)].provider = i == 1 || i == 2 ? "north" : "p" + std::to_string(i);
  }
  auto const choice = choose(t, {});
  ASSERT_FALSE(choice.links.empty());
  EXPECT_EQ(choice.links.front().link.name(), name_of(0) + "--" + name_of(3));
  t.sites[2].provider = "p2";
  t.sites[3].provider = "north";
  EXPECT_EQ(choose(t, {}).links.front().link.name(), name_of(0) + "--" + name_of(2));
}

TEST(RepairLinks, OfDistantNodesAreNotMadeBecausePathsWouldUseThem) {
  auto t = ring(5);
  for (auto& one : t.links) {
    one.cost = 20000;
  }
  for (auto const& chosen : choose(t, {}).links) {
    ADD_FAILURE() << chosen.link.name();
  }
}

// A node that joins takes links of its own and touches nobody else's.
TEST(RepairLinks, StayWhileOthersJoinAndLeave) {
  auto before = completed(ring(12));
  auto const kept = chosen_names(before);
  ASSERT_FALSE(kept.empty());
  auto allocation = topology::allocate(before, {}, 1).value();
  EXPECT_EQ(topology::parse_allocation(topology::to_text(allocation)).value().links.at(kept[0]).repair, true);

  auto grown = ring(12);
  grown.nodes.push_back(grown.nodes.back());
  grown.nodes.back().name = name_of(12);
  grown.nodes.back().underlay = {boost::asio::ip::make_address("198.18.0.99")};
  grown.links.push_back(link(0, 12));
  grown.links.push_back(link(3, 12));
  auto const after = completed(grown, allocation);
  std::set<std::string> const changed = {name_of(0), name_of(3), name_of(12)};
  auto const now = chosen_names(after);
  for (auto const& [these, those] : {std::pair(kept, now), std::pair(now, kept)}) {
    for (auto const& name : these) {
      auto const a = name.substr(0, 3);
      auto const b = name.substr(5);
      EXPECT_TRUE(changed.contains(a) || changed.contains(b) ||
                  std::find(those.begin(), those.end(), name) != those.end())
          << name;
    }
  }
  // It leaves again.
  auto const joined = topology::allocate(after, allocation, 2).value();
  auto const left = completed(ring(12), joined);
  for (auto const& name : kept) {
    bool const apart = !changed.contains(name.substr(0, 3)) && !changed.contains(name.substr(5));
    EXPECT_TRUE(!apart || std::ranges::count(chosen_names(left), name) == 1) << name;
  }
}

TEST(RepairLinks, ComeFromTheAllocation) {
  auto const chosen = completed(ring(7));
  auto const allocation = topology::allocate(chosen, {}, 1).value();
  auto same = ring(7);
  repair_links::add(same, repair_links::chosen_in(same, allocation));
  EXPECT_EQ(same.links, chosen.links);
  EXPECT_EQ(repair_links::without(same).links, ring(7).links);
  auto unchanged = ring(7);
  repair_links::complete(unchanged, allocation, true);
  EXPECT_EQ(unchanged.links, chosen.links);

  auto off = ring(7);
  off.mesh.repair_links = false;
  EXPECT_THAT(repair_links::chosen_in(off, allocation), IsEmpty());
  auto const buried = topology::allocate(off, allocation, 5).value();
  for (auto const& name : chosen_names(chosen)) {
    EXPECT_EQ(buried.links.at(name).removed_at, 5);
    EXPECT_FALSE(buried.links.at(name).repair) << "a removed one is like any other";
  }
  // One that an operator writes as a link of his own is no repair link any more.
  auto declared = ring(7);
  auto const name = chosen_names(chosen)[0];
  Link own;
  own.a = name.substr(0, 3);
  own.b = name.substr(5);
  declared.links.push_back(own);
  for (auto const& one : repair_links::chosen_in(declared, allocation)) {
    EXPECT_NE(one.name(), name);
  }
}

// A cycle through all nodes in some order, and a few links beside: two ways between any two.
Topology random_two_connected(std::mt19937& random) {
  auto const pick = [&](int least, int most) { return std::uniform_int_distribution<int>(least, most)(random); };
  int const count = pick(4, 24);
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  std::set<std::pair<int, int>> pairs;
  std::vector<Link> links;
  auto const join = [&](int a, int b) {
    if (a != b && pairs.emplace(std::min(a, b), std::max(a, b)).second) {
      links.push_back(link(a, b, static_cast<std::uint32_t>(pick(1, 40))));
    }
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    join(order[i], order[(i + 1) % order.size()]);
  }
  for (int more = pick(0, count / 2); more > 0; --more) {
    join(pick(0, count - 1), pick(0, count - 1));
  }
  return world(count, std::move(links));
}

// Every way of before the failure, hop by hop; the two ends of the dead link go around.
class Walker {
 public:
  Walker(Topology const& with, Graph const& declared) : declared_(declared), distances_(Graph(with.nodes, with.links)) {
    for (std::uint32_t i = 0; i < declared.size(); ++i) {
      costs_.push_back(declared.distances(i));
    }
  }

  // The neighbour over which `self` goes around.
  [[nodiscard]] std::optional<std::uint32_t> detour(std::uint32_t self, std::uint32_t primary,
                                                    std::uint32_t destination) const {
    auto const& name = declared_.name(destination);
    for (auto const& one : backup::protections(distances_, declared_.name(self), {name, {{name, 0}}})) {
      if (one.primary == declared_.name(primary) && one.alternate) {
        return declared_.index(one.alternate->neighbor);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] bool delivered(std::uint32_t at, std::uint32_t destination, std::uint32_t a, std::uint32_t b,
                               int hops = 0) const {
    if (at == destination) {
      return true;
    }
    if (hops > 60) {
      return false;
    }
    for (auto const& edge : declared_.edges(at)) {
      if (edge.cost + costs_[edge.to][destination] != costs_[at][destination]) {
        continue;
      }
      auto to = std::optional(edge.to);
      if ((at == a && edge.to == b) || (at == b && edge.to == a)) {
        to = detour(at, edge.to, destination);
      }
      if (!to || !delivered(*to, destination, a, b, hops + 1)) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] backup::Distances const& distances() const { return distances_; }

 private:
  Graph const& declared_;
  backup::Distances distances_;
  std::vector<std::vector<std::uint32_t>> costs_;
};

// No link between two nodes that have none and have room for one would add a case.
void expect_nothing_more_to_be_had(Topology const& with, repair_links::Choice const& choice, unsigned seed) {
  std::map<std::string, unsigned> of_node;
  std::set<std::string> joined;
  for (auto const& one : with.links) {
    joined.insert(one.name());
    of_node[one.a] += one.repair ? 1 : 0;
    of_node[one.b] += one.repair ? 1 : 0;
  }
  for (auto const& one : with.nodes) {
    for (auto const& other : with.nodes) {
      Link link;
      link.a = one.name;
      link.b = other.name;
      link.cost = repair_links::cost;
      link.repair = true;
      bool const full = std::max(of_node[link.a], of_node[link.b]) == repair_links::most_per_node;
      if (link.a < link.b && !full && !joined.contains(link.name())) {
        auto more = with;
        repair_links::add(more, {link});
        EXPECT_LE(backup::survey(more, 1000).covered, choice.covered_with) << "seed " << seed << ": " << link.name();
      }
    }
  }
}

TEST(RepairLinks, CoverRandomTwoConnectedMeshesWithoutALoop) {
  std::size_t cases = 0;
  std::size_t before = 0;
  std::size_t after = 0;
  std::size_t links = 0;
  std::size_t nodes = 0;
  std::size_t walked = 0;
  std::size_t short_of = 0;
  unsigned const meshes = whole_campaign() ? 1500 : 160;
  for (unsigned seed = 1; seed <= meshes; ++seed) {
    std::mt19937 random(seed);
    auto const t = random_two_connected(random);
    auto const choice = choose(t, {});
    auto const with = completed(t);
    cases += choice.cases;
    before += choice.covered;
    after += choice.covered_with;
    links += choice.links.size();
    nodes += t.nodes.size();
    if (static_cast<double>(choice.covered_with) < 0.95 * static_cast<double>(choice.cases)) {
      ++short_of;  // of four to seven nodes, at costs by which none is an alternate
      expect_nothing_more_to_be_had(with, choice, seed);
    }
    std::map<std::string, unsigned> of_node;
    for (auto const& chosen : choice.links) {
      EXPECT_LE(++of_node[chosen.link.a], repair_links::most_per_node);
      EXPECT_LE(++of_node[chosen.link.b], repair_links::most_per_node);
    }
    auto const survey = backup::survey(with, 1000);
    EXPECT_EQ(survey.covered, choice.covered_with) << "seed " << seed;
    Graph const declared(t.nodes, t.links);
    Walker const walker(with, declared);
    for (std::uint32_t self = 0; self < declared.size(); ++self) {
      for (std::uint32_t other = 0; other < declared.size(); ++other) {
        EXPECT_EQ(walker.distances().between(self, other), declared.distances(self)[other]) << "nobody sends by it";
        for (auto const& edge : declared.edges(self)) {
          auto const around = walker.detour(self, edge.to, other);
          if (self != other && around) {
            EXPECT_NE(*around, edge.to);
            EXPECT_TRUE(walker.delivered(*around, other, self, edge.to))
                << "seed " << seed << ": " << declared.name(self) << " to " << declared.name(other) << " over "
                << declared.name(edge.to) << " by " << declared.name(*around);
            ++walked;
          }
        }
      }
    }
  }
  EXPECT_GT(walked, 5000U);
  EXPECT_LT(before, after);
  EXPECT_GE(static_cast<double>(after), 0.995 * static_cast<double>(cases));
  EXPECT_LE(short_of, meshes * 3 / 100);
  RecordProperty("percent_before", std::to_string(100 * before / cases));
  RecordProperty("percent_after", std::to_string(100 * after / cases));
  std::printf("covered %.1f %% -> %.1f %% of %zu cases, %.2f repair links a node\n",
              100.0 * static_cast<double>(before) / static_cast<double>(cases),
              100.0 * static_cast<double>(after) / static_cast<double>(cases), cases,
              static_cast<double>(links) / static_cast<double>(nodes));
}

}  // namespace
