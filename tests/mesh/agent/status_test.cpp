#include "mesh/agent/status.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace agent {
namespace {

Status good() {
  Status out;
  out.node = "ams-1";
  out.revision = 3;
  out.source = Source::controller;
  out.last_pass_s = 1000;
  out.last_pass.bird_running = true;
  wireguard::ObservedDevice device;
  device.name = "wg-nyc-1";
  device.wireguard = true;
  device.private_key = wireguard::PrivateKey::generate();
  auto& peer = device.peers.emplace_back();
  peer.last_handshake_s = 990;
  peer.rx_bytes = 7;
  out.last_pass.devices.push_back(device);
  bird::Neighbor neighbor;
  neighbor.interface = "wg-nyc-1";
  neighbor.address = "10.200.0.3";
  neighbor.state = "Full";
  out.last_pass.neighbors.push_back(neighbor);
  return out;
}

// A stranger's interface may make every pass fail for months: an old world would be all that a reboot finds.
TEST(Status, AFailureThatLastsDoesNotKeepAWorldFromBeingLastKnown) {
  auto one = good();
  EXPECT_FALSE(may_be_kept(one)) << "BIRD has not taken it";
  one.last_pass.bird_took = true;
  EXPECT_TRUE(may_be_kept(one));
  one.last_pass.failures = {"interface wg-x exists and is not ours: remove or rename it"};
  EXPECT_TRUE(may_be_kept(one));
}

TEST(Status, IsInOrderOnlyWhenNothingDiffersOrFails) {
  EXPECT_TRUE(in_order(good()));
  EXPECT_EQ(verdict(good()), "ok");
  auto bad = good();
  bad.last_pass.failures = {"no"};
  EXPECT_FALSE(in_order(bad));
  EXPECT_EQ(verdict(bad), "no");
  bad = good();
  bad.last_pass.remaining = {"wg-a: set up"};
  EXPECT_FALSE(in_order(bad));
  bad = good();
  bad.last_pass.bird_running = false;
  EXPECT_EQ(verdict(bad), "BIRD does not run");
  EXPECT_FALSE(in_order(Status{}));
}

TEST(Status, TellsWhatWasTakenBack) {
  auto status = good();
  EXPECT_TRUE(boost::json::parse(to_json(status, 1000)).at("taken_back").is_null());
  status.taken_back = {4, "the controller", 2, 1060};
  status.waiting_revision = 5;
  EXPECT_EQ(verdict(status), "ok by revision 3; revision 4 was taken back, because it cost the controller");
  EXPECT_TRUE(in_order(status));
  auto const value = boost::json::parse(to_json(status, 1000));
  EXPECT_EQ(value.at("waiting_revision").to_number<int>(), 5);
  EXPECT_EQ(value.at("taken_back").at("revision").to_number<int>(), 4);
  EXPECT_EQ(value.at("taken_back").at("next_try_s").to_number<int>(), 1060);
}

TEST(Status, TellsHowFarTheClockIsAheadOnceThatIsKnown) {
  auto status = good();
  EXPECT_TRUE(boost::json::parse(to_json(status, 1000)).at("controller").at("clock_ahead_s").is_null());
  status.controller.clock_ahead_s = -95;
  EXPECT_EQ(boost::json::parse(to_json(status, 1000)).at("controller").at("clock_ahead_s").as_int64(), -95);
}

TEST(Status, TellsAndReportsWhatIsMeasuredOverItsLinks) {
  auto status = good();
  auto& time = status.round_trips["wg-nyc-1"];
  time.target = {"wg-nyc-1", "ams-1--nyc-1", "nyc-1", {}, 34, true};
  time.measured.least = time.measured.median = round_trips::RoundTrip(9000);
  auto const link = boost::json::parse(to_json(status, 1000)).at("links").at(0);
  EXPECT_EQ(link.at("node").as_string(), "nyc-1");
  EXPECT_EQ(link.at("cost").to_number<int>(), 34);
  EXPECT_EQ(link.at("rtt_us").to_number<int>(), 9000);
  EXPECT_EQ(link.at("handshake_age_s").to_number<int>(), 10);
  EXPECT_EQ(boost::json::parse(report_json(status)).at("rtt_us").at("ams-1--nyc-1").to_number<int>(), 9000);
}

TEST(Status, TellsHandshakesNeighboursAndBfd) {
  auto status = good();
  auto value = boost::json::parse(to_json(status, 1000));
  auto const& peer = value.at("devices").at(0).at("peers").at(0);
  EXPECT_EQ(peer.at("handshake_age_s").as_int64(), 10);
  EXPECT_EQ(peer.at("rx_bytes").to_number<int>(), 7);
  EXPECT_EQ(value.at("bird").at("full").to_number<int>(), 1);
  EXPECT_FALSE(value.at("bird").at("neighbors").at(0).at("bfd").as_bool());
  bird::BfdSession session;
  session.address = "10.200.0.3";
  session.interface = "wg-nyc-1";
  session.state = "Up";
  status.last_pass.bfd.push_back(session);
  value = boost::json::parse(to_json(status, 1000));
  EXPECT_TRUE(value.at("bird").at("neighbors").at(0).at("bfd").as_bool());
}

TEST(Status, HoldsNoPrivateKey) {
  auto const status = good();
  auto const& key = status.last_pass.devices[0].private_key;
  EXPECT_EQ(to_json(status, 1000).find(key.to_base64()), std::string::npos);
  EXPECT_EQ(to_json(status, 1000).find(key.hex()), std::string::npos);
}

TEST(Status, SectionsOfOthersAreEmbedded) {
  auto status = good();
  status.sections["edge"] = R"({"bundles":[]})";
  EXPECT_TRUE(boost::json::parse(to_json(status, 1000)).at("edge").is_object());
  status.sections["edge"] = "not json";
  EXPECT_TRUE(boost::json::parse(to_json(status, 1000)).at("edge").is_string());
}

}  // namespace
}  // namespace agent
