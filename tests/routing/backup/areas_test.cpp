#include "routing/backup/areas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <random>
#include <set>
#include <string_view>

namespace {

using backup::Areas;
using backup::Destination;
using topology::Topology;

topology::Node node(std::string const& name, std::string const& area = "0.0.0.0") {
  topology::Node out;
  out.name = name;
  out.site = "s";
  out.area = area;
  return out;
}

topology::Link link(std::string const& a, std::string const& b, std::uint32_t cost, std::string const& area = {}) {
  topology::Link out;
  out.a = std::min(a, b);
  out.b = std::max(a, b);
  out.cost = cost;
  out.area = area;
  return out;
}

Topology world(std::vector<topology::Node> nodes, std::vector<topology::Link> links) {
  Topology out;
  std::set<std::string> areas;
  out.nodes = std::move(nodes);
  out.links = std::move(links);
  for (auto const& one : out.nodes) {
    areas.insert(one.area);
  }
  for (auto const& one : out.links) {
    areas.insert(out.area_of(one));
  }
  out.areas.clear();
  for (auto const& area : areas) {
    out.areas.push_back({area});
  }
  return out;
}

Destination to(std::string const& name) {
  return {name, {{name, 0}}};
}

// An OSPF that is written for this test alone: every router's own table out of what the others announce, by the rules
// of RFC 2328 16.1, 16.2, 12.4.3 and 16.4.1, and no cleverness.
class Ospf {
 public:
  struct Route {
    std::uint64_t cost = 0;
    bool inside = false;
    std::string area;
    std::set<std::string> next;
  };
  using Table = std::map<std::string, Route>;  // destination -> route

  explicit Ospf(Topology const& of) : of_(of) {
    for (auto const& one : of.nodes) {
      areas_of_[one.name].insert(one.area);
    }
    for (auto const& one : of.links) {
      auto const area = of.area_of(one);
      for (auto const& [x, y] : {std::pair(one.a, one.b), std::pair(one.b, one.a)}) {
        areas_of_[x].insert(area);
        direct_[area][x][y] = one.cost;
      }
    }
    for (auto const& [name, areas] : areas_of_) {
      for (auto const& area : areas) {
        members_[area].insert(name);
      }
    }
    for (auto const& [area, members] : members_) {
      floyd(area, members);
    }
    inside();
    for (int round = 0; round < 4; ++round) {
      between();
    }
  }

  [[nodiscard]] std::set<std::string> const& areas_of(std::string const& name) const { return areas_of_.at(name); }
  [[nodiscard]] Table const& table(std::string const& name) const { return tables_.at(name); }
  [[nodiscard]] bool direct(std::string const& a, std::string const& b) const {
    return std::any_of(direct_.begin(), direct_.end(), [&](auto const& area) {
      auto const found = area.second.find(a);
      return found != area.second.end() && found->second.contains(b);
    });
  }

  // Where a router sends what is for an address that several announce with one metric of type 1.
  [[nodiscard]] std::set<std::string> next(std::string const& at, Destination const& destination) const {
    std::set<std::string> out;
    std::pair<int, std::uint64_t> best{2, 0};
    for (auto const& [name, outer] : destination.originators) {
      auto const found = tables_.at(at).find(name);
      if (found == tables_.at(at).end()) {
        continue;
      }
      bool const preferred = found->second.inside && found->second.area != "0.0.0.0";
      std::pair<int, std::uint64_t> const rank{preferred ? 0 : 1, found->second.cost};
      if (rank < best) {
        out.clear();
        best = rank;
      }
      if (rank == best) {
        out.insert(found->second.next.begin(), found->second.next.end());
      }
    }
    return out;
  }

 private:
  static constexpr std::uint64_t none = std::numeric_limits<std::uint32_t>::max();

  void floyd(std::string const& area, std::set<std::string> const& members) {
    auto& d = paths_[area];
    for (auto const& x : members) {
      for (auto const& y : members) {
        auto const found = direct_[area][x].find(y);
        d[x][y] = x == y ? 0 : found == direct_[area][x].end() ? none : found->second;
      }
    }
    for (auto const& k : members) {
      for (auto const& x : members) {
        for (auto const& y : members) {
          d[x][y] = std::min(d[x][y], d[x][k] + d[k][y]);
        }
      }
    }
  }

  std::set<std::string> first_hops(std::string const& area, std::string const& from, std::string const& target) {
    std::set<std::string> out;
    for (auto const& [neighbor, cost] : direct_[area][from]) {
      if (cost + paths_[area][neighbor][target] == paths_[area][from][target]) {
        out.insert(neighbor);
      }
    }
    return out;
  }

  void inside() {
    for (auto const& router : of_.nodes) {
      for (auto const& target : of_.nodes) {
        auto const& area = target.area;
        if (members_[area].contains(router.name) && paths_[area][router.name][target.name] < none) {
          tables_[router.name][target.name] = {paths_[area][router.name][target.name], true, area,
                                               first_hops(area, router.name, target.name)};
        }
      }
      tables_[router.name];
    }
  }

  void between() {
    auto const before = tables_;
    for (auto& [router, table] : tables_) {
      std::erase_if(table, [](auto const& entry) { return !entry.second.inside; });
      bool const border = areas_of_[router].size() > 1;
      auto const area = border ? std::string("0.0.0.0") : *areas_of_[router].begin();
      for (auto const& announcer : members_[area]) {
        auto const distance = paths_[area][router][announcer];
        if (announcer == router || areas_of_[announcer].size() < 2 || distance >= none) {
          continue;
        }
        for (auto const& [target, route] : before.at(announcer)) {
          bool const announced = route.area != area && (route.inside || area != "0.0.0.0");
          if (!announced || (table.contains(target) && table[target].inside)) {
            continue;
          }
          Route offer{distance + route.cost, false, area, first_hops(area, router, announcer)};
          auto& known = table[target];
          if (known.area.empty() || offer.cost < known.cost) {
            known = offer;
          } else if (offer.cost == known.cost) {
            known.next.insert(offer.next.begin(), offer.next.end());
          }
        }
      }
    }
  }

  Topology const& of_;
  std::map<std::string, std::set<std::string>> areas_of_;
  std::map<std::string, std::set<std::string>> members_;
  std::map<std::string, std::map<std::string, std::map<std::string, std::uint64_t>>> direct_;
  std::map<std::string, std::map<std::string, std::map<std::string, std::uint64_t>>> paths_;
  std::map<std::string, Table> tables_;
};

// Sends packets hop by hop while the link between two nodes is dead and both ends, and nobody else, know it.
class Walker {
 public:
  Walker(Ospf const& ospf, Destination const& destination, std::string a, std::string b)
      : ospf_(ospf), destination_(destination), a_(std::move(a)), b_(std::move(b)) {}

  // Where an end sends what would go over the link; empty: it drops it.
  std::map<std::string, std::string> detours;

  [[nodiscard]] bool delivered(std::string const& at, int hops = 0) const {
    if (destination_.originators.contains(at)) {
      return true;
    }
    auto const next = ospf_.next(at, destination_);
    if (hops > 40 || next.empty()) {
      return false;
    }
    return std::all_of(next.begin(), next.end(), [&](std::string const& to) {
      bool const dead = (at == a_ && to == b_) || (at == b_ && to == a_);
      if (!dead) {
        return delivered(to, hops + 1);
      }
      auto const detour = detours.find(at);
      return detour != detours.end() && delivered(detour->second, hops + 1);
    });
  }

 private:
  Ospf const& ospf_;
  Destination const& destination_;
  std::string a_, b_;
};

Topology random_world(std::mt19937& random) {
  auto const pick = [&](int least, int most) { return std::uniform_int_distribution<int>(least, most)(random); };
  std::vector<topology::Node> nodes;
  std::vector<topology::Link> links;
  std::set<std::pair<std::string, std::string>> pairs;
  auto const join = [&](std::string const& a, std::string const& b, std::string const& area) {
    if (a != b && pairs.emplace(std::min(a, b), std::max(a, b)).second) {
      links.push_back(link(a, b, static_cast<std::uint32_t>(pick(1, 9)), area));
    }
  };
  int const core = pick(2, 5);
  int const areas = pick(1, 3);
  std::vector<std::string> backbone;
  for (int i = 0; i < core; ++i) {
    backbone.push_back(std::string("z") + std::to_string(i));
    nodes.push_back(node(backbone.back()));
  }
  auto const any = [&](std::vector<std::string> const& of) {
    return of[static_cast<std::size_t>(pick(0, static_cast<int>(of.size()) - 1))];
  };
  for (int i = 1; i <= areas; ++i) {
    auto const area = "0.0.0." + std::to_string(i);
    if (pick(0, 1) == 0) {
      join(any(backbone), any(backbone), area);  // two border nodes, linked inside the area
    }
    std::vector<std::string> members;
    int const count = pick(1, 4);
    for (int j = 0; j < count; ++j) {
      members.push_back(std::string(1, static_cast<char>('a' + i)) + std::to_string(j));
      nodes.push_back(node(members.back(), area));
      join(members.back(), j == 0 ? any(backbone) : any(members), {});
    }
    for (int more = pick(1, 5); more > 0; --more) {
      join(any(members), pick(0, 1) == 0 ? any(backbone) : any(members), {});
    }
  }
  for (int i = 1; i < core; ++i) {
    join(backbone[static_cast<std::size_t>(i)], backbone[static_cast<std::size_t>(pick(0, i - 1))], {});
  }
  for (int more = pick(0, 4); more > 0; --more) {
    join(any(backbone), any(backbone), {});
  }
  return world(std::move(nodes), std::move(links));
}

unsigned seeds(unsigned usual) {
  auto const* const whole = std::getenv("SOVEREIGN_LONG");
  return whole != nullptr && std::string_view(whole) == "1" ? 20 * usual : usual;
}

// The inequalities would miss a loop: a is nearer to z3 than z1 is, and yet its way there leads over z1, which as a
// border node does not go on by the area.
TEST(Areas, ABorderNodeDoesNotGoByItsAreasCosts) {
  auto const t = world({node("z1"), node("z2"), node("z3"), node("a", "0.0.0.1")},
                       {link("z1", "z3", 50), link("z2", "z3", 50), link("z1", "a", 1), link("z2", "a", 1)});
  Areas areas(t, t.links);
  auto const found = areas.protections("z1", to("z2"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].primary, "z3");
  EXPECT_EQ(found[0].cost, 100U);
  ASSERT_TRUE(found[0].alternate);
  EXPECT_EQ(found[0].alternate->neighbor, "a");

  // With the area's own link between the border nodes, a sends to z1 what is for z3, and z1 must not send it to a.
  auto const trap = world({node("z1"), node("z2"), node("z3"), node("a", "0.0.0.1")},
                          {link("z1", "z3", 50), link("z2", "z3", 10), link("z1", "z2", 1, "0.0.0.1"),
                           link("z1", "a", 1), link("z2", "a", 9)});
  Areas trapped(trap, trap.links);
  auto const none = trapped.protections("z1", to("z3"));
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].primary, "z3");
  ASSERT_TRUE(none[0].alternate);
  EXPECT_EQ(none[0].alternate->neighbor, "z2") << "not a, whose way leads back although it is cheaper than z1's own";
}

TEST(Areas, AnEdgeWithTwoBorderNodesHasAlwaysADetour) {
  auto const t = world({node("r1"), node("r2"), node("z"), node("e", "0.0.0.1")},
                       {link("r1", "z", 10), link("r2", "z", 300), link("e", "r1", 1), link("e", "r2", 200)});
  Areas areas(t, t.links, "e");
  for (auto const* target : {"r1", "z"}) {
    auto const found = areas.protections("e", to(target));
    ASSERT_EQ(found.size(), 1U) << target;
    EXPECT_EQ(found[0].primary, "r1");
    ASSERT_TRUE(found[0].alternate) << target;
    EXPECT_EQ(found[0].alternate->neighbor, "r2");
  }
}

TEST(Areas, AServiceOfABorderNodeAndAnotherIsLeftToOspf) {
  auto const t = world({node("r1"), node("r2"), node("z"), node("e", "0.0.0.1")},
                       {link("r1", "z", 10), link("r2", "z", 10), link("e", "r1", 10), link("e", "r2", 10)});
  Areas areas(t, t.links);
  EXPECT_TRUE(areas.protections("e", {"service", {{"r1", 0}, {"z", 0}}}).empty());
  EXPECT_TRUE(areas.protections("e", {"service", {{"r1", 0}, {"z", 1}}}).empty());
  auto const single = areas.protections("z", {"service", {{"e", 0}}});
  ASSERT_EQ(single.size(), 2U);
  EXPECT_TRUE(single[0].alternate && single[1].alternate);
}

TEST(Areas, OneAreaIsAsWithoutAreas) {
  std::size_t alternates = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    auto t = random_world(random);
    for (auto& one : t.nodes) {
      one.area = "0.0.0.0";
    }
    for (auto& one : t.links) {
      one.area.clear();
    }
    Areas areas(t, t.links);
    backup::Distances const distances(topology::Graph(t.nodes, t.links));
    for (auto const& from : t.nodes) {
      for (auto const& target : t.nodes) {
        auto const one = areas.protections(from.name, to(target.name));
        auto const other = backup::protections(distances, from.name, to(target.name));
        ASSERT_EQ(one.size(), other.size()) << "seed " << seed << " " << from.name << " " << target.name;
        for (std::size_t i = 0; i < one.size(); ++i) {
          EXPECT_EQ(one[i].primary, other[i].primary);
          EXPECT_EQ(one[i].cost, other[i].cost);
          ASSERT_EQ(one[i].alternate.has_value(), other[i].alternate.has_value());
          alternates += one[i].alternate ? 1U : 0U;
          if (one[i].alternate) {
            EXPECT_EQ(one[i].alternate->neighbor, other[i].alternate->neighbor);
            EXPECT_EQ(one[i].alternate->node_protecting, other[i].alternate->node_protecting);
          }
        }
      }
    }
  }
  EXPECT_GT(alternates, 500U);
}

struct Tally {
  std::size_t covered = 0;
  std::size_t gaps = 0;
};

void hold_against_ospf(Topology const& t, Ospf const& ospf, Areas& areas, Destination const& destination,
                       std::string const& where, Tally& tally) {
  std::map<std::pair<std::string, std::string>, std::string> detours;  // end, other end -> neighbour
  for (auto const& from : t.nodes) {
    for (auto const& protection : areas.protections(from.name, destination)) {
      if (protection.alternate) {
        detours[{from.name, protection.primary}] = protection.alternate->neighbor;
      }
    }
  }
  for (auto const& from : t.nodes) {
    auto const own = areas.protections(from.name, destination);
    Areas alone(t, t.links, from.name);
    auto const same = alone.protections(from.name, destination);
    ASSERT_EQ(own.size(), same.size()) << where << from.name;
    std::set<std::string> primaries;
    for (std::size_t i = 0; i < own.size(); ++i) {
      auto const& one = own[i];
      primaries.insert(one.primary);
      EXPECT_EQ(one.alternate.has_value(), same[i].alternate.has_value()) << where << from.name;
      Walker walker(ospf, destination, from.name, one.primary);
      bool possible = false;
      for (auto const& neighbor : t.nodes) {
        Walker trial = walker;
        trial.detours[from.name] = neighbor.name;
        possible = possible || (neighbor.name != one.primary && ospf.direct(from.name, neighbor.name) &&
                                trial.delivered(neighbor.name));
      }
      EXPECT_EQ(one.alternate.has_value(), possible) << where << from.name << " over " << one.primary;
      if (auto const back = detours.find({one.primary, from.name}); back != detours.end()) {
        walker.detours[one.primary] = back->second;  // the other end goes around as well
      }
      if (one.alternate) {
        walker.detours[from.name] = one.alternate->neighbor;
        EXPECT_TRUE(walker.delivered(one.alternate->neighbor)) << where << from.name << " over " << one.primary;
      }
      (one.alternate ? tally.covered : tally.gaps) += 1;
    }
    if (!own.empty()) {
      EXPECT_EQ(primaries, ospf.next(from.name, destination)) << where << from.name;
    }
  }
}

TEST(Areas, EqualAnOspfOfSeveralAreasHopByHop) {
  Tally single;
  Tally anycast;
  for (unsigned seed = 1; seed <= seeds(100); ++seed) {
    std::mt19937 random(seed);
    auto const t = random_world(random);
    Ospf const ospf(t);
    Areas areas(t, t.links);
    Destination service{"service", {}};
    for (auto const& one : t.nodes) {
      // Not where the node's own area is in parts: that is left to OSPF, both ways.
      bool const whole = std::all_of(t.nodes.begin(), t.nodes.end(), [&](topology::Node const& other) {
        auto const found = ospf.table(other.name).find(one.name);
        return !ospf.areas_of(other.name).contains(one.area) ||
               (found != ospf.table(other.name).end() && found->second.inside);
      });
      if (!whole) {
        continue;
      }
      hold_against_ospf(t, ospf, areas, to(one.name), "seed " + std::to_string(seed) + " to " + one.name + ": ",
                        single);
      if (ospf.areas_of(one.name).size() == 1 && random() % 2 == 0) {
        service.originators.emplace(one.name, 0);
      }
    }
    hold_against_ospf(t, ospf, areas, service, "seed " + std::to_string(seed) + " to a service: ", anycast);
  }
  EXPECT_GT(single.covered, 1000U);
  EXPECT_GT(single.gaps, 500U);
  EXPECT_GT(anycast.covered, 100U);
}

// An area in parts, drained and unjoined nodes: whatever is answered must carry.
TEST(Areas, NeverLoopWhereAnAreaIsInParts) {
  std::size_t carried = 0;
  for (unsigned seed = 1; seed <= seeds(150); ++seed) {
    std::mt19937 random(seed);
    auto t = random_world(random);
    for (int drop = 0; drop < 2 && t.links.size() > 3; ++drop) {
      t.links.erase(t.links.begin() + static_cast<std::ptrdiff_t>(random() % t.links.size()));
    }
    Ospf const ospf(t);
    Areas areas(t, t.links);
    for (auto const& from : t.nodes) {
      for (auto const& target : t.nodes) {
        auto const destination = to(target.name);
        for (auto const& one : areas.protections(from.name, destination)) {
          if (!one.alternate) {
            continue;
          }
          Walker walker(ospf, destination, from.name, one.primary);
          walker.detours[from.name] = one.alternate->neighbor;
          EXPECT_TRUE(walker.delivered(one.alternate->neighbor))
              << "seed " << seed << ": " << from.name << " to " << target.name << " over " << one.primary;
          ++carried;
        }
      }
    }
  }
  EXPECT_GT(carried, 1000U);
}

TEST(Areas, CoverageAndSurveySayTheSame) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    auto const t = random_world(random);
    auto const named = backup::coverage(t);
    auto const counted = backup::survey(t, 1000);
    EXPECT_EQ(named.pairs, counted.cases) << "seed " << seed;
    EXPECT_EQ(named.link_protected, counted.covered) << "seed " << seed;
  }
}

}  // namespace
