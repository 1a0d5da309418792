#include "dns-backend/cloudflare/wanted.hpp"

#include <gmock/gmock.h>

namespace cloudflare {
namespace {

using testing::ElementsAre;

dns::Name name(std::string_view text) {
  return dns::Name::parse(text).value();
}

dns::RRset rrset(dns::RRType type, std::vector<std::string> contents, std::uint32_t ttl = 300) {
  return {type, ttl, std::move(contents)};
}

class WantedTest : public testing::Test {
 protected:
  WantedTest() {
    zone_.apex = name("example");
    zone_.metadata[zone_metadata] = {std::string(32, 'b')};
  }
  store::Entry& entry(std::string_view owner) {
    auto made = std::make_shared<store::Entry>();
    made->key = name(owner).key();
    entries_.push_back(made);
    return *made;
  }
  std::vector<WantedZone> wanted() {
    for (auto const& one : entries_) {
      zone_.entries = zone_.entries.insert(one);
    }
    store::Snapshot snapshot;
    snapshot.zones = snapshot.zones.insert(zone_.apex.key(), std::make_shared<store::Zone const>(zone_));
    return wanted_zones(snapshot, health_);
  }
  static std::vector<std::string> shown(WantedZone const& zone) {
    std::vector<std::string> out;
    for (Record const& record : zone.records) {
      out.push_back(record.name.text() + " " + std::to_string(record.ttl) + " " + dns::to_text(record.type) + " " +
                    record.content);
    }
    return out;
  }

  store::Zone zone_;
  std::vector<std::shared_ptr<store::Entry>> entries_;
  pool::HealthTable health_;
};

TEST_F(WantedTest, LeavesSoaAndApexNsToCloudflare) {
  store::Entry& apex = entry("example");
  apex.rrsets = {rrset(dns::type_soa, {"ns.example. h.example. 1 2 3 4 5"}), rrset(dns::type_ns, {"ns.example."}),
                 rrset(dns::type_txt, {"\"x\""}, 5)};
  entry("sub.example").rrsets = {rrset(dns::type_ns, {"ns.sub.example."})};
  auto const zones = wanted();
  ASSERT_EQ(zones.size(), 1U);
  EXPECT_EQ(zones[0].zone_id, std::string(32, 'b'));
  EXPECT_THAT(shown(zones[0]), ElementsAre("example. 60 TXT \"x\"", "sub.example. 300 NS ns.sub.example."));
}

TEST_F(WantedTest, ReportsTypesThatAreNotExported) {
  entry("key.example").rrsets = {rrset(dns::type_ds, {"1 13 2 00"})};
  auto const zones = wanted();
  EXPECT_TRUE(zones[0].records.empty());
  ASSERT_EQ(zones[0].obstacles.size(), 1U);
  EXPECT_EQ(zones[0].obstacles[0].type, dns::type_ds);
}

TEST_F(WantedTest, PublishesTheAddressesABalancerAnswersNow) {
  auto pool = std::make_shared<pool::Pool>();
  pool->endpoints = {{"a", "192.0.2.1", "2001:db8::1", "", health_.slot("a"), true, 1},
                     {"b", "192.0.2.2", "", "", health_.slot("b"), true, 1}};
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->pools = {pool};
  balancer->ttl = 30;
  entry("www.example").balancer = balancer;
  health_.set(health_.slot("a"), probe::Health::up);
  health_.set(health_.slot("b"), probe::Health::up);
  EXPECT_THAT(shown(wanted()[0]), ElementsAre("www.example. 60 A 192.0.2.1", "www.example. 60 A 192.0.2.2",
                                              "www.example. 60 AAAA 2001:db8::1"));
  health_.set(health_.slot("a"), probe::Health::down);
  EXPECT_THAT(shown(wanted()[0]), ElementsAre("www.example. 60 A 192.0.2.2", "www.example. 60 AAAA 2001:db8::1"))
      << "the only IPv6 endpoint is answered although it is down: serve-all";
}

TEST_F(WantedTest, ReportsTheBindingsOfABalancer) {
  auto pool = std::make_shared<pool::Pool>();
  pool->endpoints = {{"a", "192.0.2.1", "", "", health_.slot("a"), true, 1}};
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->pools = {pool};
  balancer->bindings = {{65, "1 .", "", true}, {65, "2 .", "", true}};
  entry("www.example").balancer = balancer;
  auto const zones = wanted();
  EXPECT_THAT(shown(zones[0]), ElementsAre("www.example. 60 A 192.0.2.1"));
  ASSERT_EQ(zones[0].obstacles.size(), 1U);
  EXPECT_EQ(dns::to_text(zones[0].obstacles[0].type), "HTTPS");
}

TEST_F(WantedTest, PublishesOneAliasForABalancerOfNames) {
  auto pool = std::make_shared<pool::Pool>();
  pool->endpoints = {{"a", "", "", "a.cdn.test.", health_.slot("a"), true, 1},
                     {"b", "", "", "b.cdn.test.", health_.slot("b"), true, 1}};
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->pools = {pool};
  entry("www.example").balancer = balancer;
  EXPECT_THAT(shown(wanted()[0]), ElementsAre("www.example. 60 CNAME a.cdn.test."));
  health_.set(health_.slot("b"), probe::Health::up);
  EXPECT_THAT(shown(wanted()[0]), ElementsAre("www.example. 60 CNAME b.cdn.test."));
}

TEST_F(WantedTest, ExportsOnlyMarkedZones) {
  entry("www.example").rrsets = {rrset(dns::type_a, {"192.0.2.1"})};
  zone_.metadata.clear();
  EXPECT_TRUE(wanted().empty());
}

TEST(ZoneId, IsThirtyTwoHexDigits) {
  EXPECT_TRUE(is_zone_id("0123456789abcdef0123456789abcdef"));
  EXPECT_FALSE(is_zone_id(""));
  EXPECT_FALSE(is_zone_id("0123456789abcdef0123456789abcde"));
  EXPECT_FALSE(is_zone_id("0123456789abcdef0123456789abcde/"));
}

}  // namespace
}  // namespace cloudflare
