#include "mesh/names/names.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

plan::World world() {
  auto out = plan::sample::world();
  out.topology.internal_domain = "internal.";
  for (auto& node : out.topology.nodes) {
    node.site = node.name.substr(0, node.name.find('-'));
  }
  return out;
}

TEST(Zones, NameEveryNodeItsSiteAndServices) {
  auto const zones = names::zones(world());
  ASSERT_THAT(zones, SizeIs(3));
  EXPECT_EQ(zones[0].name, "internal.");
  EXPECT_EQ(zones[0].text,
            "$TTL 30\n"
            "@ SOA ams-1.internal. hostmaster.internal. 1 3600 600 604800 30\n"
            "@ NS ams-1.internal.\n"
            "@ NS nyc-1.internal.\n"
            "ams-1 A 10.200.0.1\n"
            "ams-1.ams A 10.200.0.1\n"
            "ams-1 AAAA fd5e:70::1\n"
            "ams-1.ams AAAA fd5e:70::1\n"
            "edge-1 A 10.200.0.2\n"
            "edge-1.edge A 10.200.0.2\n"
            "edge-1 AAAA fd5e:70::2\n"
            "edge-1.edge AAAA fd5e:70::2\n"
            "nyc-1 A 10.200.0.3\n"
            "nyc-1.nyc A 10.200.0.3\n"
            "nyc-1 AAAA fd5e:70::3\n"
            "nyc-1.nyc AAAA fd5e:70::3\n"
            "dns A 198.51.100.53\n"
            "dns AAAA 2001:db8:53::53\n");
}

TEST(Zones, DoNotNameWhoeverWasRemovedOrNeverJoined) {
  auto without = world();
  without.keys.erase("nyc-1");
  auto const zones = names::zones(without);
  EXPECT_THAT(zones[0].text, Not(HasSubstr("nyc-1 A")));
  EXPECT_THAT(zones[0].text, HasSubstr("edge-1 A 10.200.0.2\n"));
  EXPECT_THAT(zones[1].text, Not(HasSubstr("PTR nyc-1")));
  EXPECT_THAT(names::hosts(without), Not(HasSubstr("nyc-1")));
}

TEST(Zones, LeadBack) {
  auto const zones = names::zones(world());
  EXPECT_EQ(zones[1].name, "200.10.in-addr.arpa.");
  EXPECT_THAT(zones[1].text, HasSubstr("\n3.0.200.10.in-addr.arpa. PTR nyc-1.internal.\n"));
  EXPECT_THAT(zones[1].text, Not(HasSubstr("ip6")));
  EXPECT_EQ(zones[2].name, "0.0.0.0.0.7.0.0.e.5.d.f.ip6.arpa.");
  EXPECT_THAT(zones[2].text,
              HasSubstr("\n3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.0.0.e.5.d.f.ip6.arpa. PTR "
                        "nyc-1.internal.\n"));
}

TEST(Zones, OfAPrefixBetweenOctetsBeginAtTheOctetAbove) {
  auto narrow = world();
  narrow.topology.mesh.prefix4 = boost::asio::ip::make_network_v4("10.200.0.0/18");
  EXPECT_EQ(names::zones(narrow)[1].name, "200.10.in-addr.arpa.");
}

TEST(Zones, NavigatorsNodesServeThem) {
  auto with = world();
  with.topology.navigator = topology::Navigator{"nyc-1", {"ams-1"}, 18010};
  EXPECT_THAT(names::zones(with)[1].text, HasSubstr("SOA nyc-1.internal. hostmaster.internal."));
  with.topology.navigator.reset();
  with.topology.services.clear();
  EXPECT_THAT(names::zones(with)[0].text, HasSubstr("@ NS ns.internal.\n"));
}

TEST(Zones, AServiceThatIsCalledLikeANodeIsHidden) {
  auto clash = world();
  clash.topology.services[0].name = "nyc-1";
  EXPECT_THAT(names::hidden_services(clash.topology), ElementsAre("nyc-1"));
  EXPECT_THAT(names::zones(clash)[0].text, Not(HasSubstr("198.51.100.53")));
}

TEST(Zones, WithoutADomainThereAreNone) {
  EXPECT_THAT(names::zones(plan::sample::world()), IsEmpty());
  EXPECT_EQ(names::hosts(plan::sample::world()), "");
}

TEST(Hosts, HaveALineAnAddress) {
  EXPECT_THAT(names::hosts(world()), HasSubstr("10.200.0.1 ams-1.internal ams-1.ams.internal\n"
                                               "fd5e:70::1 ams-1.internal ams-1.ams.internal\n"));
}

TEST(Block, IsPutInReplacedAndTakenOutAgain) {
  std::string const own = "127.0.0.1 localhost";
  auto const once = names::with_block(own, "10.0.0.1 a\n");
  EXPECT_EQ(once, own + "\n" + std::string(names::block_begin) + "10.0.0.1 a\n" + std::string(names::block_end));
  auto const followed = once + "192.0.2.1 mine\n";
  auto const twice = names::with_block(followed, "10.0.0.2 b\n");
  EXPECT_THAT(twice, HasSubstr("10.0.0.2 b\n"));
  EXPECT_THAT(twice, Not(HasSubstr("10.0.0.1")));
  EXPECT_EQ(names::with_block(twice, "10.0.0.2 b\n"), twice);
  EXPECT_EQ(names::with_block(twice, ""), own + "\n192.0.2.1 mine\n");
  EXPECT_EQ(names::with_block(own, ""), own);
  // A mark that somebody left without its end costs no line between.
  auto const broken = std::string(names::block_begin) + "192.0.2.2 theirs\n";
  auto const mended = names::with_block(names::with_block(broken, "10.0.0.1 a\n"), "10.0.0.2 b\n");
  EXPECT_THAT(mended, HasSubstr("192.0.2.2 theirs\n"));
  EXPECT_THAT(mended, Not(HasSubstr("10.0.0.1")));
}

}  // namespace
