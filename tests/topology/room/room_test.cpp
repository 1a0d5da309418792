#include "topology/room/room.hpp"

#include "topology/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace topology {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::int64_t day_s = 86400;

struct Text {
  std::vector<std::string> nodes;  // "name: a, id: 3"
  std::vector<std::string> links;  // "ends: [a, b]"
  std::string mesh = "prefix4: 10.200.0.0/16, prefix6: fd00:c0de::/48";

  std::string text() const {
    std::string out = "name: t\ndomain: t.example\nmesh: {" + mesh + ", shape: links}\nsites: [{name: s}]\nnodes:\n";
    int number = 0;
    for (auto const& node : nodes) {
      out += "  - {" + node + ", site: s, role: central, underlay: [192.0.2." + std::to_string(++number) + "]}\n";
    }
    out += "links:\n";
    for (auto const& link : links) {
      out += "  - {" + link + "}\n";
    }
    return out;
  }
};

std::vector<std::string> problems(Text const& text, Allocation const& previous, std::int64_t at_s = now_s) {
  auto const topology = load_topology(text.text(), "mesh.yaml");
  if (!topology) {
    ADD_FAILURE() << base::text(topology.error()) << text.text();
    return {};
  }
  std::vector<std::string> out;
  for (auto const& one : room_problems(text.text(), "mesh.yaml", *topology, previous, at_s)) {
    EXPECT_FALSE(one.hint.empty());
    out.push_back(one.text());
  }
  EXPECT_EQ(out.empty(), allocate(*topology, previous, at_s).has_value()) << "both say the same";
  return out;
}

Allocation allocation_of(Text const& text) {
  return allocate(*load_topology(text.text(), "before"), {}, now_s - 40 * day_s).value();
}

TEST(Room, AnIdOfAnotherOrOfALatelyRemovedNodeIsNamedAtItsLine) {
  Text before{{"name: a", "name: b", "name: c"}, {"ends: [a, b]", "ends: [b, c]"}};
  auto given = allocation_of(before);  // a 1, b 2, c 3
  EXPECT_THAT(problems(before, given), IsEmpty());
  Text after{{"name: a", "name: b", "name: d, id: 2"}, {"ends: [a, b]", "ends: [b, d]"}};
  EXPECT_THAT(problems(after, given),
              ElementsAre(HasSubstr("mesh.yaml:8:19: nodes[2].id: the id 2 is that of node 'b'")));
  after.nodes[2] = "name: d, id: 3";
  given.nodes["c"].removed_at = now_s - 10 * day_s;
  EXPECT_THAT(
      problems(after, given),
      ElementsAre(AllOf(HasSubstr("mesh.yaml:8:19: nodes[2].id: the id 3 was that of node 'c', which was removed"),
                        HasSubstr("free from 2027-02-04 on"))));
  EXPECT_THAT(problems(after, given, now_s + 21 * day_s), IsEmpty());
}

TEST(Room, APortOfAnotherLinkIsNamedAtItsLine) {
  Text before{{"name: a", "name: b", "name: c"}, {"ends: [a, b], ports: [51820, 51820]", "ends: [b, c]"}};
  auto given = allocation_of(before);
  Text after = before;
  after.links = {"ends: [a, b], ports: [51820, 51820]", "ends: [c, a], ports: [51999, 51820]", "ends: [b, c]"};
  Text gone{{"name: a", "name: b", "name: c"}, {"ends: [a, c], ports: [51820, 51999]", "ends: [b, c]"}};
  auto const said = problems(gone, given);
  EXPECT_THAT(said, ElementsAre(AllOf(HasSubstr("mesh.yaml:10:"), HasSubstr("links[0].ports"),
                                      HasSubstr("the port 51820 of 'a' is that of link a--b, which was removed"))));
  given.links["a--b"].removed_at = now_s - 31 * day_s;
  EXPECT_THAT(problems(gone, given), IsEmpty());
}

// It could be given, so this is more than `allocate` asks for.
TEST(Room, APortThatAnotherLinkNeedsForItsNextKeyIsNamed) {
  Text text{{"name: a", "name: b", "name: c"}, {"ends: [a, b], ports: [51820, 51820]", "ends: [a, c]"}};
  EXPECT_THAT(problems(text, {}), IsEmpty());
  text.links[1] = "ends: [a, c], ports: [55916, 51820]";
  auto const topology = load_topology(text.text(), "mesh.yaml");
  ASSERT_TRUE(topology);
  auto const said = room_problems(text.text(), "mesh.yaml", *topology, {}, now_s);
  ASSERT_EQ(said.size(), 2U) << "at both links";
  EXPECT_THAT(said[1].text(), AllOf(HasSubstr("links[1].ports"), HasSubstr("the ports 55916 and 51820 of 'a'"),
                                    HasSubstr("4096 away")));
  text.links[1] = "ends: [a, c], ports: [55917, 51820]";
  EXPECT_THAT(problems(text, {}), IsEmpty());
}

TEST(Room, AFullPrefixNamesEveryNodeThatGetsNothing) {
  Text text{{}, {}, "prefix4: 10.200.0.0/29, prefix6: fd00:c0de::/48"};
  for (char name = 'a'; name < 'h'; ++name) {
    text.nodes.push_back(std::string("name: ") + name);
    if (name != 'a') {
      text.links.push_back(std::string("ends: [a, ") + name + "]");
    }
  }
  EXPECT_THAT(problems(text, {}), ElementsAre(HasSubstr("nodes[6].name: the mesh prefixes have no address left for")));
  Allocation given;
  given.nodes["old"] = {2, now_s - 5 * day_s};
  EXPECT_THAT(problems(text, given),
              ElementsAre(HasSubstr("for node 'f'"), AllOf(HasSubstr("for node 'g'"), HasSubstr("1 ids are kept"))));
  text.mesh = "prefix4: 10.200.0.0/16, prefix6: fd00:c0de::/48";
  given.nodes["a"] = {3, 0};
  EXPECT_THAT(problems(text, given), IsEmpty());
  text.mesh = "prefix4: 10.200.0.0/29, prefix6: fd00:c0de::/48";
  text.nodes.resize(3);
  text.links.resize(2);
  given.nodes["a"] = {300, 0};
  EXPECT_THAT(problems(text, given), ElementsAre(HasSubstr("mesh.yaml:3:")));
}

TEST(Room, AFullRangeOfPortsNamesItsBeginning) {
  Text text{{"name: a", "name: b"}, {"ends: [a, b]"}, "port_base: 65000"};
  Allocation given;
  for (unsigned port = 65000; port <= 65535; ++port) {
    auto const other = "x" + std::to_string(port);
    given.links["a--" + other] = {port, static_cast<std::uint16_t>(port), 1, now_s - day_s, false};
  }
  EXPECT_THAT(problems(text, given), ElementsAre(AllOf(HasSubstr("mesh.yaml:3:"), HasSubstr("mesh.port_base"),
                                                       HasSubstr("left on node 'a'"))));
}

// Whatever the history, it is empty exactly where the numbers can be given.
TEST(Room, AgreesWithTheAllocationOverRandomHistories) {
  std::minstd_rand random(7);
  auto const below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    Text text{{}, {}, "prefix4: 10.200.0.0/29, prefix6: fd00:c0de::/48"};
    std::set<unsigned> ids;
    unsigned const count = 2 + below(6);
    for (unsigned i = 0; i < count; ++i) {
      std::string node = std::string("name: n") + std::to_string(i);
      if (unsigned const id = 1 + below(6); below(3) == 0 && ids.insert(id).second) {
        node += ", id: " + std::to_string(id);
      }
      text.nodes.push_back(node);
      if (i > 0) {
        bool const fixed = below(4) == 0;
        text.links.push_back("ends: [n" + std::to_string(i - 1) + ", n" + std::to_string(i) + "]" +
                             (fixed ? ", ports: [" + std::to_string(51820 + i) + ", " + std::to_string(51830 + i) + "]"
                                    : std::string()));
      }
    }
    Allocation given;
    std::set<unsigned> used;
    for (unsigned i = 0; i < 9; ++i) {
      if (unsigned const id = 1 + below(7); below(2) == 0 && used.insert(id).second) {
        given.nodes["n" + std::to_string(i)] = {id, below(3) == 0 ? now_s - below(40) * day_s : 0};
      }
      if (below(3) == 0) {
        auto const name = "n" + std::to_string(i) + "--n" + std::to_string(i + 1);
        given.links[name] = {i + 1, static_cast<std::uint16_t>(51820 + below(12)),
                             static_cast<std::uint16_t>(51820 + below(12)),
                             below(2) == 0 ? now_s - below(40) * day_s : 0, false};
      }
    }
    problems(text, given);
  }
}

}  // namespace
}  // namespace topology
