#include "mesh/agent/links/links.hpp"

#include "mesh/agent/links/gauges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

round_trips::LinkTime time_of(std::string const& node, std::optional<int> least_us) {
  round_trips::LinkTime out;
  out.target = {"wg-" + node, "ann--" + node, node, {}, 15, true};
  out.measured.sent = 10;
  if (least_us) {
    out.measured.least = round_trips::RoundTrip(*least_us);
    out.measured.median = round_trips::RoundTrip(*least_us + 500);
  }
  return out;
}

wireguard::ObservedDevice device(std::string const& name) {
  wireguard::ObservedDevice out;
  out.name = name;
  out.wireguard = true;
  out.up = true;
  auto& peer = out.peers.emplace_back();
  peer.last_handshake_s = 990;
  peer.rx_bytes = 7;
  peer.tx_bytes = 9;
  return out;
}

bird::Neighbor neighbor(std::string const& protocol, std::string const& address) {
  bird::Neighbor out;
  out.protocol = protocol;
  out.interface = "wg-bob";
  out.address = address;
  out.state = "Full";
  return out;
}

std::vector<Link> links() {
  bird::BfdSession session;
  session.address = "10.200.0.2";
  session.interface = "wg-bob";
  session.state = "Up";
  RoundTrips const times{
      {"wg-bob", time_of("bob", 1200)}, {"wg-bob~", time_of("bob", 900)}, {"wg-cat", time_of("cat", std::nullopt)}};
  return links_of({device("wg-cat"), device("wg-bob"), device("wg-stranger")},
                  {neighbor("ospf4", "10.200.0.2"), neighbor("ospf6", "fe80::2")}, {session}, times);
}

TEST(Links, HoldWhatEverySourceSaysOfThem) {
  auto const all = links();
  ASSERT_EQ(all.size(), 2U) << "a device that the world does not name is no link";
  auto const& bob = all[0];
  EXPECT_EQ(bob.name, "ann--bob");
  EXPECT_EQ(bob.cost, 15U);
  EXPECT_TRUE(bob.full());
  EXPECT_EQ(bob.bfd4, "Up");
  EXPECT_EQ(bob.bfd6, "");
  EXPECT_FALSE(bob.bfd_up());
  EXPECT_FALSE(all[1].full());
}

TEST(Links, TellWhatIsNotKnownAsNull) {
  auto const json = to_json(links(), 1000);
  EXPECT_EQ(json.at(0).at("handshake_age_s").as_int64(), 10);
  EXPECT_EQ(json.at(0).at("rtt_us").as_int64(), 1700);
  EXPECT_EQ(json.at(0).at("ospf6").as_string(), "Full");
  EXPECT_TRUE(json.at(0).at("bfd6").is_null());
  EXPECT_TRUE(json.at(1).at("rtt_us").is_null());
  EXPECT_TRUE(json.at(1).at("ospf4").is_null());
}

TEST(Links, ReportTheQuickerOfTwoDevicesAndNothingOfASilentLink) {
  RoundTrips const times{
      {"wg-bob", time_of("bob", 1200)}, {"wg-bob~", time_of("bob", 900)}, {"wg-cat", time_of("cat", std::nullopt)}};
  EXPECT_EQ(boost::json::serialize(report_of(times)), R"({"ann--bob":900})");
}

TEST(LinkGauges, ForgetWhatIsGone) {
  process::Metrics metrics;
  LinkGauges gauges(metrics);
  gauges.show(links(), 1000);
  EXPECT_THAT(metrics.text(),
              HasSubstr(R"(privateer_link_rtt_seconds{device="wg-bob",link="ann--bob",node="bob"} 0.0017)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(privateer_link_handshake_age_seconds{device="wg-cat")"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr(R"(privateer_link_rtt_seconds{device="wg-cat")")));
  auto left = links();
  left.erase(left.begin());
  gauges.show(left, 1001);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("wg-bob")));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(privateer_link_cost{device="wg-cat")"));
}

}  // namespace
}  // namespace agent
