#include "topology/shape/shape.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace {

using shape::Form;
using shape::Member;
using shape::Rank;
using shape::Wish;
using ::testing::ElementsAre;

Member member(std::string name, std::uint32_t site, Rank rank = Rank::edge, bool reachable = true) {
  return {std::move(name), site, rank, reachable, false};
}

// `count` members over sites on all continents, of three providers.
Wish world(Form form, int count, unsigned seed) {
  std::mt19937 random(seed);
  auto const pick = [&](double least, double most) { return std::uniform_real_distribution<>(least, most)(random); };
  Wish out;
  out.form = form;
  out.seed = "world";
  int const sites = std::max(3, count / 12);
  for (int i = 0; i < sites; ++i) {
    shape::Site site{"s" + std::to_string(i), "p" + std::to_string(i % 3), std::nullopt};
    site.position = shape::Position{pick(-60, 70), pick(-180, 180)};
    out.sites.push_back(site);
  }
  for (int i = 0; i < count; ++i) {
    auto const rank = i < std::max(3, count / 60)  ? Rank::central
                      : i < std::max(7, count / 8) ? Rank::regional
                                                   : Rank::edge;
    out.members.push_back(member("n" + std::to_string(100000 + i * 7), static_cast<std::uint32_t>(i % sites), rank));
  }
  return out;
}

std::vector<std::string> names(Wish const& wish, shape::Result const& result) {
  std::vector<std::string> out;
  for (auto const& line : result.lines) {
    out.push_back(wish.members[line.a].name + "--" + wish.members[line.b].name);
  }
  return out;
}

// What is written into a member's files: its links, with their costs.
std::map<std::string, std::set<std::string>> links_by_member(Wish const& wish) {
  std::map<std::string, std::set<std::string>> out;
  for (auto const& one : wish.members) {
    out[one.name];
  }
  for (auto const& line : shape::build(wish).lines) {
    auto const& a = wish.members[line.a].name;
    auto const& b = wish.members[line.b].name;
    out[a].insert(b + " " + std::to_string(line.cost));
    out[b].insert(a + " " + std::to_string(line.cost));
  }
  return out;
}

TEST(Tiers, PutTheHubsOfAnEdgeApartAndLinkThem) {
  Wish wish;
  wish.form = Form::tiers;
  wish.sites = {{"ams", "north", shape::Position{52.3, 4.8}},
                {"fra", "north", shape::Position{50.0, 8.6}},
                {"par", "west", shape::Position{48.9, 2.4}}};
  wish.members = {member("c1", 0, Rank::central),  member("c2", 2, Rank::central),  member("r1", 0, Rank::regional),
                  member("r2", 1, Rank::regional), member("r3", 2, Rank::regional), member("e", 1)};
  EXPECT_THAT(names(wish, shape::build(wish)), ElementsAre("c1--c2", "c1--r1", "c1--r2", "c1--r3", "c2--r1", "c2--r2",
                                                           "c2--r3", "e--r2", "e--r3", "r2--r3"));
}

// With S, E, N a triangle and costs that obey its inequality strictly, N takes over for E whatever the destination.
void expect_a_triangle_for_every_link(Wish const& wish, std::string const& what) {
  auto const lines = shape::build(wish).lines;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> cost;
  std::map<std::uint32_t, std::set<std::uint32_t>> next;
  for (auto const& line : lines) {
    cost[{line.a, line.b}] = cost[{line.b, line.a}] = line.cost;
    next[line.a].insert(line.b);
    next[line.b].insert(line.a);
  }
  for (auto const& line : lines) {
    bool found = false;
    for (auto const third : next[line.a]) {
      if (next[line.b].contains(third)) {
        auto const x = cost[{line.a, line.b}];
        auto const y = cost[{line.a, third}];
        auto const z = cost[{line.b, third}];
        EXPECT_TRUE(x < y + z && y < x + z && z < x + y) << what;
        found = true;
      }
    }
    EXPECT_TRUE(found) << what << ": " << wish.members[line.a].name << "--" << wish.members[line.b].name;
  }
}

TEST(Shapes, TiersAndCyclesPutEveryLinkIntoATriangle) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    for (int const count : {10, 13, 40, 150}) {
      for (auto const form : {Form::tiers, Form::cycles}) {
        for (std::uint32_t const cycles : {2U, 3U}) {
          auto wish = world(form, count, seed);
          wish.cycles = cycles;
          if (seed == 4) {
            wish.sites[1].position.reset();  // a place that nobody knows
          }
          expect_a_triangle_for_every_link(wish, "seed " + std::to_string(seed) + ", " + std::to_string(count));
        }
      }
    }
  }
}

TEST(Shapes, DependOnNoOrder) {
  for (auto const form : {Form::full, Form::hub, Form::tiers, Form::cycles}) {
    auto wish = world(form, 50, 3);
    auto const before = names(wish, shape::build(wish));
    std::reverse(wish.members.begin(), wish.members.end());
    EXPECT_EQ(names(wish, shape::build(wish)), before);
  }
}

// Adds each of many newcomers in turn and counts whose links change: its neighbours, and nobody else.
TEST(Shapes, ANewcomerTouchesNobodyButItsNeighbours) {
  for (auto const form : {Form::full, Form::hub, Form::tiers, Form::cycles}) {
    auto const wish = world(form, form == Form::full ? 40 : 200, 5);
    auto const before = links_by_member(wish);
    for (std::uint32_t i = 0; i < 10; ++i) {
      auto with = wish;
      std::string const name = "new-" + std::to_string(i);
      with.members.push_back(member(name, i % static_cast<std::uint32_t>(wish.sites.size())));
      auto const after = links_by_member(with);
      std::size_t touched = 0;
      for (auto const& [other, links] : before) {
        touched += after.at(other) != links ? 1U : 0U;
      }
      EXPECT_LE(touched, after.at(name).size() + (form == Form::cycles ? 1 : 0)) << name;
      EXPECT_GE(touched, 2U);
    }
  }
}

TEST(Cycles, GoThroughEveryMemberAndKeepTheirOrderWhenOneJoins) {
  auto wish = world(Form::cycles, 100, 2);
  for (std::uint32_t const order : {1U, 2U, 3U}) {
    auto const before = shape::cycle(wish, order);
    EXPECT_EQ(std::set(before.begin(), before.end()).size(), 100U);
    auto with = wish;
    with.members.push_back(member("new", 1));
    auto after = shape::cycle(with, order);
    std::erase(after, 100U);
    EXPECT_EQ(after, before) << order;
  }
  EXPECT_NE(shape::cycle(wish, 2), shape::cycle(wish, 3));
  auto other = wish;
  other.seed = "other";
  EXPECT_NE(shape::cycle(other, 2), shape::cycle(wish, 2));
}

TEST(Cycles, TourTheSitesOnAShortWay) {
  Wish wish;
  wish.form = Form::cycles;
  // Named so that neither names nor the order of the file is the short way around: a circle along the equator.
  for (int i = 0; i < 12; ++i) {
    wish.sites.push_back({"s" + std::to_string((i * 5) % 12 + 10), "p", shape::Position{0, i * 30.0 - 180}});
    wish.members.push_back(member("m" + std::to_string(i), static_cast<std::uint32_t>(i)));
  }
  auto const tour = shape::tour_of_sites(wish);
  ASSERT_EQ(tour.size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) {
    auto const step = (tour[(i + 1) % 12] + 12 - tour[i]) % 12;
    EXPECT_TRUE(step == 1 || step == 11) << i;
  }
}

TEST(Cycles, KeepAPinnedTourAndPutTheOthersWhereItIsShort) {
  Wish wish;
  wish.form = Form::cycles;
  wish.sites = {{"a", "p", shape::Position{0, 0}},
                {"b", "p", shape::Position{0, 20}},
                {"c", "p", shape::Position{0, 40}},
                {"d", "p", shape::Position{1, 30}}};
  for (std::uint32_t i = 0; i < 4; ++i) {
    wish.members.push_back(member("m" + std::to_string(i), i));
  }
  wish.tour = {2, 0, 1};
  EXPECT_THAT(shape::tour_of_sites(wish), ElementsAre(2, 0, 1, 3));
}

TEST(Cycles, HangWhoIsBehindNatBetweenTwoOthers) {
  auto wish = world(Form::cycles, 20, 4);
  wish.members.push_back(member("nat-1", 0, Rank::edge, false));
  wish.members.push_back(member("nat-2", 0, Rank::edge, false));
  auto const links = links_by_member(wish);
  EXPECT_EQ(links.at("nat-1").size(), 2U);
  EXPECT_EQ(links.at("nat-2").size(), 2U);
  expect_a_triangle_for_every_link(wish, "with NAT");
}

TEST(Cycles, OfFewMembersLinkThemAll) {
  for (int const count : {1, 2, 3}) {
    Wish wish;
    wish.form = Form::cycles;
    wish.sites = {{"s", "p", std::nullopt}};
    for (int i = 0; i < count; ++i) {
      wish.members.push_back(member("m" + std::to_string(i), 0));
    }
    EXPECT_EQ(shape::build(wish).lines.size(), static_cast<std::size_t>(count * (count - 1) / 2));
  }
}

TEST(Distance, IsThatOfAGreatCircle) {
  EXPECT_NEAR(shape::distance_km(shape::Position{52.31, 4.77}, shape::Position{40.64, -73.78}), 5848, 20);
  EXPECT_EQ(shape::distance_km(shape::Position{52.31, 4.77}, std::nullopt), 0U);
}

}  // namespace
