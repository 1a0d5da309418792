#include "mesh/reconcile/reconciler.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gtest/gtest.h>

namespace reconcile {
namespace {

bird::Neighbor neighbor(std::string const& interface, std::string const& state) {
  bird::Neighbor out;
  out.interface = interface;
  out.state = state;
  return out;
}

TEST(Removal, WaitsUntilEveryWantedLinkIsFullInBothFamilies) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  std::vector<bird::Neighbor> neighbors{neighbor("wg-edge-1", "Full"), neighbor("wg-edge-1", "Full"),
                                        neighbor("wg-nyc-1", "Full"), neighbor("wg-nyc-1", "Exchange")};
  EXPECT_FALSE(all_full(plan, neighbors));
  neighbors.back().state = "Full";
  EXPECT_TRUE(all_full(plan, neighbors));
  neighbors.pop_back();
  EXPECT_FALSE(all_full(plan, neighbors));
  EXPECT_FALSE(all_full(plan, {}));
}

TEST(Removal, ADeviceWhosePeerIsNoMemberIsAnOrphan) {
  wireguard::ObservedDevice device;
  EXPECT_TRUE(is_orphan(device, plan::sample::world()));
  device.peers.emplace_back().peer.public_key = plan::sample::key(9);
  EXPECT_TRUE(is_orphan(device, plan::sample::world()));
  device.peers.emplace_back().peer.public_key = plan::sample::key(3);
  EXPECT_FALSE(is_orphan(device, plan::sample::world()));
}

TEST(Sessions, ThroughTheMeshItselfCountAsDead) {
  auto const plan = plan::plan_node(plan::sample::world(), "ams-1").value();
  wireguard::ObservedDevice device;
  for (char const* endpoint : {"10.200.0.3:51820", "[fd5e:70::3]:51820", "192.0.2.3:51820", "[2001:db8::3]:51820"}) {
    wireguard::ObservedPeer peer;
    peer.peer.endpoint = wireguard::parse_endpoint(endpoint).value();
    peer.last_handshake_s = 1000;
    device.peers.push_back(peer);
  }
  device.peers.emplace_back().last_handshake_s = 1000;  // without an endpoint
  auto const judged = without_inner_sessions({device}, plan.mesh_prefixes);
  std::vector<std::int64_t> seen;
  for (auto const& peer : judged[0].peers) {
    seen.push_back(peer.last_handshake_s);
  }
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 0, 1000, 1000, 1000}));
}

TEST(Routes, AreWrittenAgainAfterWhatMakesTheKernelDropThem) {
  using Kind = wireguard::Change::Kind;
  auto const loses = [](Kind kind) {
    wireguard::Change change;
    change.kind = kind;
    return loses_routes(change);
  };
  for (auto const kind : {Kind::create_device, Kind::set_up, Kind::add_address, Kind::remove_address}) {
    EXPECT_TRUE(loses(kind));
  }
  for (auto const kind : {Kind::set_mtu, Kind::set_private_key, Kind::add_peer, Kind::update_peer, Kind::remove_peer,
                          Kind::remove_device}) {
    EXPECT_FALSE(loses(kind));
  }
}

}  // namespace
}  // namespace reconcile
