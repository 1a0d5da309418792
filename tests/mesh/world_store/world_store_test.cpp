#include "mesh/world_store/world_store.hpp"

#include "mesh/enrolment/registry.hpp"
#include "routing/repair_links/repair_links.hpp"
#include "topology/load.hpp"

#include <gtest/gtest.h>

namespace world_store {
namespace {

constexpr std::int64_t now_s = 1'800'000'000;

std::string ring(int count) {
  std::string nodes;
  std::string links;
  for (int i = 0; i < count; ++i) {
    auto const name = "n" + std::to_string(i);
    nodes += "  - {name: " + name + ", site: s, role: central, underlay: [192.0.2." + std::to_string(i + 1) + "]}\n";
    links += "  - {ends: [" + name + ", n" + std::to_string((i + 1) % count) + "]}\n";
  }
  return "name: t\ndomain: t.example\nmesh: {shape: links, repair_links: auto}\nsites: [{name: s}]\nnodes:\n" + nodes +
         "links:\n" + links;
}

// A link whose two keys change at once has no device that works at both ends.
TEST(WorldStore, NotBothEndsOfARepairLinkChangeTheirKeys) {
  auto const database =
      database::Database::open("sqlite://:memory:", {schema(), enrolment::schema(), link_costs::schema()}).value();
  auto const text = ring(5);
  ASSERT_TRUE(set_topology(*database, text, "ring", now_s));
  auto const asked = [](database::Transaction& transaction) -> base::Result<void> {
    for (int i = 0; i < 5; ++i) {
      auto written = transaction.execute(
          "INSERT INTO enrolment_node (name, public_key, joined_at_s, rotate_since_s) VALUES (?, ?, 1, 1)",
          {"n" + std::to_string(i), "key " + std::to_string(i)});
      if (!written) {
        return written.error();
      }
    }
    return {};
  };
  ASSERT_TRUE(database->write(asked));
  auto const stored = read_world(*database);
  ASSERT_TRUE(stored) << stored.error().what();
  auto const topology = topology::load_topology(text, "ring");
  auto const allocation = topology::parse_allocation(stored->document.allocation);
  ASSERT_TRUE(topology && allocation);
  auto const chosen = repair_links::chosen_in(*topology, *allocation);
  ASSERT_FALSE(chosen.empty());
  auto const& rotate = stored->document.rotate;
  EXPECT_FALSE(rotate.empty());
  for (auto const& link : chosen) {
    EXPECT_FALSE(rotate.contains(link.a) && rotate.contains(link.b)) << link.name();
  }
}

// A link that leaves the topology may come back by the next one, and then costs what was decided last.
TEST(WorldStore, ADecidedCostGoesWithTheNumbersOfItsLink) {
  auto const database =
      database::Database::open("sqlite://:memory:", {schema(), enrolment::schema(), link_costs::schema()}).value();
  ASSERT_TRUE(set_topology(*database, ring(5), "ring", now_s));
  ASSERT_TRUE(link_costs::write_costs(*database, {{"n1--n2", 40}, {"n3--n4", 70}}));
  auto const linked = [](std::string text, char const* with) {
    auto const at = text.find("  - {ends: [n3, n4]}\n");
    return at == std::string::npos ? text : text.replace(at, std::string_view("  - {ends: [n3, n4]}\n").size(), with);
  };
  auto const costs = [&] { return link_costs::read_costs(*database).value(); };
  auto const without = linked(ring(5), "  - {ends: [n3, n0]}\n  - {ends: [n4, n1]}\n");
  ASSERT_TRUE(set_topology(*database, without, "ring", now_s + 10));
  EXPECT_EQ(costs().size(), 2U) << "it was removed a moment ago";
  constexpr std::int64_t day_s = 86400;
  ASSERT_TRUE(set_topology(*database, ring(5), "ring", now_s + day_s));
  EXPECT_EQ(costs().at("n3--n4"), 70U) << "it came back";
  ASSERT_TRUE(set_topology(*database, without, "ring", now_s + 2 * day_s));
  ASSERT_TRUE(set_topology(*database, without + "# later\n", "ring", now_s + 40 * day_s));
  EXPECT_EQ(costs(), (std::map<std::string, std::uint32_t>{{"n1--n2", 40}}));
}

}  // namespace
}  // namespace world_store
