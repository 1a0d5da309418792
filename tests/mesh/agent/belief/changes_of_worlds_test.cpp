#include "mesh/agent/belief/changes_of_worlds.hpp"

#include "mesh/wireguard/key.hpp"
#include "topology/allocation.hpp"
#include "topology/load.hpp"

#include <gtest/gtest.h>

namespace {

std::string key(std::uint8_t number) {
  wireguard::KeyBytes bytes{};
  bytes.fill(number);
  return wireguard::PublicKey(bytes).to_base64();
}

plan::WorldDocument document() {
  plan::WorldDocument out;
  out.revision = 7;
  out.topology =
      "name: t\ndomain: t.example\nmesh: {shape: full, costs: latency, prefix4: 10.1.0.0/24, prefix6: 'fd00:1::/48'}\n"
      "sites: [{name: s}]\n"
      "nodes:\n  - {name: a, site: s, role: edge, underlay: [192.0.2.1], id: 1}\n"
      "  - {name: b, site: s, role: edge, underlay: [192.0.2.2], id: 2}\n";
  auto const loaded = topology::load_topology(out.topology, "topology.yaml");
  EXPECT_TRUE(loaded.has_value());
  out.allocation = topology::to_text(topology::allocate(*loaded, {}, 0).value());
  out.nodes["a"] = key(3);
  out.nodes["b"] = key(4);
  return out;
}

TEST(ChangesOfWorlds, ACostIsInTheWorldAndNotInTheMark) {
  auto const plain = agent::prepare(document(), "test", "a", false);
  ASSERT_TRUE(plain) << plain.error().what();
  auto measured = document();
  measured.costs["a--b"] = 171;
  auto const with = agent::prepare(measured, "test", "a", false);
  ASSERT_TRUE(with) << with.error().what();
  EXPECT_EQ(with->mark, plain->mark);
  EXPECT_EQ(with->world->topology.links.at(0).cost, 171U);
  EXPECT_NE(plain->world->topology.links.at(0).cost, 171U);
}

TEST(ChangesOfWorlds, AnotherKeyOfANeighbourIsAnotherMark) {
  auto other = document();
  other.nodes["b"] = key(5);
  EXPECT_NE(agent::prepare(other, "test", "a", false).value().mark,
            agent::prepare(document(), "test", "a", false).value().mark);
}

}  // namespace
