// OSPF's areas in weaknesses and certificates, held against the rule itself (RFC 2328, 3.1): a path goes within an
// area, or through one border into the backbone and through another out of it.
#include "topology/proof/areas.hpp"

#include "tests/topology/sample.hpp"
#include "topology/proof/certificate.hpp"
#include "topology/verify/verify.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include <functional>
#include <map>
#include <random>
#include <set>

namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using topology::Link;
using topology::Node;
using topology::Topology;

constexpr char const* backbone = "0.0.0.0";

struct Lost {
  std::function<bool(Node const&)> node = [](Node const&) { return false; };
  std::string link;
};

Node node_in(std::string name, std::string area, std::string site) {
  Node out;
  out.name = std::move(name);
  out.area = std::move(area);
  out.site = std::move(site);
  out.underlay = {boost::asio::ip::make_address("192.0.2.1")};
  return out;
}

// Which piece of one area each node is in, by number; -1: it takes no part in the area, or is lost.
std::vector<int> pieces(Topology const& t, std::string const& area, Lost const& lost) {
  std::vector<int> of(t.nodes.size(), -1);
  auto const place = [&](std::string const& name) {
    auto const found = std::ranges::find(t.nodes, name, &Node::name);
    return static_cast<std::size_t>(found - t.nodes.begin());
  };
  for (std::size_t i = 0; i < t.nodes.size(); ++i) {
    auto const& name = t.nodes[i].name;
    bool const takes_part = t.nodes[i].area == area || std::ranges::any_of(t.links, [&](Link const& link) {
                              return (link.a == name || link.b == name) && t.area_of(link) == area;
                            });
    of[i] = takes_part && !lost.node(t.nodes[i]) ? static_cast<int>(i) : -1;
  }
  for (auto const& link : t.links) {
    auto const a = of[place(link.a)];
    auto const b = of[place(link.b)];
    if (t.area_of(link) == area && link.name() != lost.link && a >= 0 && b >= 0) {
      std::ranges::replace(of, b, a);
    }
  }
  return of;
}

// Whether every two of the remaining nodes reach each other's address, which is in the area of its node: within the
// area, or through one piece of the backbone. A border goes into the backbone by itself or not at all.
bool all_reach_each_other(Topology const& t, Lost const& lost) {
  std::map<std::string, std::vector<int>> of;
  of[backbone] = pieces(t, backbone, lost);
  for (auto const& link : t.links) {
    if (auto const area = t.area_of(link); !of.contains(area)) {
      of[area] = pieces(t, area, lost);
    }
  }
  auto const& core = of[backbone];
  // The pieces of the backbone that a piece of an area touches.
  auto const doors = [&](std::vector<int> const& area, int piece) {
    std::set<int> out;
    for (std::size_t i = 0; i < area.size(); ++i) {
      if (area[i] == piece && core[i] >= 0) {
        out.insert(core[i]);
      }
    }
    return out;
  };
  auto const ways_in = [&](std::size_t x) {
    std::set<int> out;
    for (auto const& [name, area] : of) {
      if (core[x] < 0 && area[x] >= 0) {
        out.merge(doors(area, area[x]));
      }
    }
    return core[x] >= 0 ? std::set<int>{core[x]} : out;
  };
  auto const reach = [&](std::size_t x, std::size_t y) {
    auto const& area = of[t.nodes[y].area];
    if (area[x] >= 0 && area[x] == area[y]) {
      return true;
    }
    auto const out = doors(area, area[y]);
    return std::ranges::any_of(ways_in(x), [&](int piece) { return out.contains(piece); });
  };
  for (std::size_t x = 0; x < t.nodes.size(); ++x) {
    for (std::size_t y = 0; y < t.nodes.size(); ++y) {
      if (x != y && !lost.node(t.nodes[x]) && !lost.node(t.nodes[y]) && !reach(x, y)) {
        return false;
      }
    }
  }
  return true;
}

bool survives_everything(Topology const& t) {
  bool out = all_reach_each_other(t, {});
  for (auto const& one : t.nodes) {
    out = out && all_reach_each_other(t, {[&](Node const& node) { return node.name == one.name; }, {}});
  }
  for (auto const& link : t.links) {
    out = out && all_reach_each_other(t, {[](Node const&) { return false; }, link.name()});
  }
  for (auto const& site : t.sites) {
    out = out && all_reach_each_other(t, {[&](Node const& node) { return node.site == site.name; }, {}});
  }
  return out;
}

// Three or four nodes of the backbone and two areas of two or three edges, with links between any that OSPF allows.
Topology random_areas(unsigned seed) {
  std::mt19937 random(seed);
  auto const chance = [&](unsigned percent) { return random() % 100 < percent; };
  Topology t;
  t.name = "areas";
  for (char const* name : {"s1", "s2", "s3", "s4"}) {
    t.sites.emplace_back().name = name;
  }
  std::size_t const core = 3 + random() % 2;
  for (std::size_t i = 0; i < core; ++i) {
    t.nodes.push_back(node_in("a" + std::to_string(i), backbone, t.sites[i].name));
  }
  for (char const* area : {"0.0.0.1", "0.0.0.2"}) {
    std::size_t const edges = 2 + random() % 2;
    for (std::size_t i = 0; i < edges; ++i) {
      auto const name = std::string(1, area[6] == '1' ? 'b' : 'c') + std::to_string(i);
      t.nodes.push_back(node_in(name, area, t.sites[random() % 4].name));
    }
  }
  for (std::size_t i = 0; i < t.nodes.size(); ++i) {
    for (std::size_t j = i + 1; j < t.nodes.size(); ++j) {
      auto const& a = t.nodes[i];
      auto const& b = t.nodes[j];
      bool const both_core = a.area == backbone && b.area == backbone;
      bool const allowed = both_core || a.area == b.area || a.area == backbone;
      if (allowed && chance(both_core ? 85 : 70)) {
        Link link{a.name, b.name, 10, 1420};
        if (both_core && chance(25)) {
          link.area = chance(50) ? "0.0.0.1" : "0.0.0.2";
        }
        t.links.push_back(link);
      }
    }
  }
  // A node of the backbone without a link of it is refused when the file is read.
  for (auto const& node : t.nodes) {
    bool const linked = std::any_of(t.links.begin(), t.links.end(), [&](Link const& link) {
      return (link.a == node.name || link.b == node.name) && t.area_of(link) == backbone;
    });
    if (node.area == backbone && !linked) {
      return random_areas(seed + 100000);
    }
  }
  return t;
}

TEST(Areas, AMeshIsProvedExactlyWhenItHoldsByOspfsRule) {
  std::size_t proved = 0;
  std::size_t only_ospf_fails = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    auto const t = random_areas(seed);
    auto const certificate = proof::prove(t);
    EXPECT_EQ(certificate.has_value(), survives_everything(t)) << "seed " << seed;
    if (certificate) {
      ++proved;
      auto const checked = verify::check(*certificate);
      EXPECT_TRUE(checked) << "seed " << seed << ": " << checked.error().what();
    } else {
      auto flat = t;
      for (auto& link : flat.links) {
        link.area = backbone;
      }
      only_ospf_fails += proof::prove(flat) ? 1U : 0U;
    }
  }
  EXPECT_GT(proved, 30U);
  EXPECT_GT(only_ospf_fails, 30U) << "meshes that hold as graphs, and not as areas";
}

// Two borders of area 1, b1 on a1 alone and b2 on a2 alone: the mesh has a ring through the area, and OSPF none.
Topology ring_through_an_area() {
  Topology t;
  t.name = "ring";
  t.sites.emplace_back().name = "s";
  for (char const* name : {"a1", "a2", "a3"}) {
    t.nodes.push_back(node_in(name, backbone, "s1"));
  }
  for (char const* name : {"b1", "b2"}) {
    t.nodes.push_back(node_in(name, "0.0.0.1", "s2"));
  }
  t.sites[0].name = "s1";
  t.sites.emplace_back().name = "s2";
  for (auto const& [a, b] : {std::pair("a1", "a3"), {"a2", "a3"}, {"a1", "b1"}, {"a2", "b2"}, {"b1", "b2"}}) {
    t.links.push_back({a, b, 10, 1420});
  }
  return t;
}

TEST(Areas, ARingThatLeadsThroughAnEdgeAreaIsNone) {
  auto const found = proof::weaknesses(ring_through_an_area());
  ASSERT_EQ(found.size(), 3U);  // site s1 leaves nobody to be cut off, s2 neither
  EXPECT_EQ(
      proof::to_text(found[0]),
      "the loss of node a3 cuts off a2 within the backbone, and OSPF goes through no other area; the cheapest link "
      "that would mend it is a1--a2");
  EXPECT_THAT(proof::to_text(found[1]), HasSubstr("the loss of link a1--a3 cuts off a1 within the backbone"));
  EXPECT_THAT(proof::to_text(found[2]), HasSubstr("the loss of link a2--a3 cuts off a2 within the backbone"));
  auto mended = ring_through_an_area();
  mended.links.push_back({"a1", "a2", 10, 1420});
  EXPECT_THAT(proof::weaknesses(mended), IsEmpty());
}

// Edges of two areas, each with a border of its own and a link to the other's border that is in the other area.
TEST(Areas, AnEdgeHangsOnTheOneBorderOfItsArea) {
  auto t = ring_through_an_area();
  t.links.push_back({"a1", "a2", 10, 1420});
  std::erase_if(t.links, [](Link const& link) { return link.a == "a2" && link.b == "b2"; });
  t.links.push_back({"a2", "b2", 10, 1420});
  t.links.back().area = "0.0.0.2";
  std::vector<std::string> told;
  for (auto const& one : proof::weaknesses(t)) {
    told.push_back(proof::to_text(one));
  }
  EXPECT_THAT(told,
              ::testing::Contains(HasSubstr(
                  "the loss of node a1 cuts off b1 b2 within area 0.0.0.1; OSPF leaves an area through its borders "
                  "alone: give it another one, or a link to one in the area")));
}

TEST(Areas, OneAreaIsTheWholeMesh) {
  auto t = ring_through_an_area();
  for (auto& node : t.nodes) {
    node.area = backbone;
  }
  EXPECT_THAT(proof::areas_of(t), IsEmpty());
  auto const certificate = proof::prove(t);
  ASSERT_TRUE(certificate);
  EXPECT_FALSE(json::parse(*certificate).get_object().contains("areas"));
}

Topology sound() {
  auto t = ring_through_an_area();
  t.links.push_back({"a1", "a2", 10, 1420});
  std::sort(t.links.begin(), t.links.end(), [](auto const& x, auto const& y) { return x.name() < y.name(); });
  return t;
}

std::string refusal(json::object const& value) {
  auto const checked = verify::check(json::serialize(value));
  return checked ? std::string() : checked.error().detail;
}

TEST(Areas, FalseClaimsAreRefusedByTheirPlace) {
  auto const certificate = proof::prove(sound());
  ASSERT_TRUE(certificate);
  auto const whole = json::parse(*certificate).get_object();
  ASSERT_EQ(refusal(whole), "");
  ASSERT_EQ(whole.at("areas").as_array().size(), 2U);
  auto const changed = [&](std::function<void(json::array&)> const& change) {
    auto out = whole;
    change(out.at("areas").as_array());
    return refusal(out);
  };
  // What is listed as an area's is in the digest.
  EXPECT_THAT(changed([](json::array& areas) { areas[0].as_object().at("links").as_array().pop_back(); }),
              HasSubstr("digest"));
  EXPECT_THAT(changed([](json::array& areas) { areas.pop_back(); }), HasSubstr("digest"));
  EXPECT_THAT(changed([](json::array& areas) { areas.clear(); }), HasSubstr("digest"));
  EXPECT_THAT(changed([](json::array& areas) { areas[1].as_object().at("order").as_array()[0] = 1; }),
              HasSubstr("areas[1].order"));
  EXPECT_THAT(changed([](json::array& areas) { areas[1].as_object().at("order").as_array()[0] = 5; }),
              HasSubstr("areas[1]: names a node or a link that is not in it"));
  EXPECT_THAT(changed([](json::array& areas) { areas[1].as_object().at("order").as_array()[0] = 6; }),
              HasSubstr("areas[1].order[0]: is not a number below 6"));
  EXPECT_THAT(changed([](json::array& areas) { areas[0].as_object().at("trees").as_array().pop_back(); }),
              HasSubstr("areas[0].trees: there is not one for each group"));
  EXPECT_THAT(changed([](json::array& areas) { areas[0] = 7; }), HasSubstr("areas[0]: is not an object"));
}

// Every number of what is said of areas is another one: nothing false is believed.
TEST(Areas, AreRefusedWhenAnyNumberIsAnother) {
  auto const t = sound();
  auto const certificate = proof::prove(t);
  ASSERT_TRUE(certificate);
  auto const whole = json::parse(*certificate).get_object();
  std::size_t refused = 0;
  for (std::size_t area = 0; area < 2; ++area) {
    for (char const* list : {"order", "back", "onward"}) {
      auto const length = whole.at("areas").as_array()[area].as_object().at(list).as_array().size();
      for (std::size_t i = 0; i < length; ++i) {
        auto out = whole;
        auto& number = out.at("areas").as_array()[area].as_object().at(list).as_array()[i];
        number = (number.as_int64() + 1) % 3;
        refused += refusal(out).empty() ? 0U : 1U;
      }
    }
  }
  EXPECT_GT(refused, 10U);
}

TEST(Areas, BelongToTheTopologyAtHand) {
  auto const t = sound();
  verify::Subject subject;
  for (auto const& node : t.nodes) {
    subject.nodes.push_back(node.name);
  }
  subject.groups = {{"site", "s1", {"a1", "a2", "a3"}, {}}, {"site", "s2", {"b1", "b2"}, {}}};
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> areas;
  for (auto const& link : t.links) {
    subject.links.emplace_back(link.a, link.b);
    areas[t.area_of(link)].emplace_back(link.b, link.a);
  }
  for (auto const& [name, links] : areas) {
    subject.areas.insert(subject.areas.begin(), {name, links});
  }
  auto const certificate = proof::prove(t);
  ASSERT_TRUE(certificate);
  auto const checked = verify::check(*certificate, subject);
  ASSERT_TRUE(checked) << checked.error().what();
  EXPECT_EQ(checked->areas, 2U);
  std::swap(subject.areas[0].links, subject.areas[1].links);
  EXPECT_FALSE(verify::check(*certificate, subject));
}

}  // namespace
