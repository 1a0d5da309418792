#include "topology/values/values.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Values, AddressesAreUnicastAndReachable) {
  for (auto const* good : {"192.0.2.1", "198.18.1.10", "10.0.0.1", "2001:db8::1", "fd00::1"}) {
    EXPECT_TRUE(topology::parse_address(good)) << good;
  }
  for (auto const* bad : {"",         "x",         "1.2.3",     "1.2.3.4.5",    "1.2.3.256",       "0.0.0.0",
                          "0.1.2.3",  "127.0.0.1", "224.0.0.5", "240.0.0.1",    "255.255.255.255", "169.254.1.1",
                          "::",       "::1",       "fe80::1",   "fe80::1%eth0", "ff02::5",         "::ffff:1.2.3.4",
                          "1.2.3.4 ", "1.2.3.4/32"}) {
    EXPECT_FALSE(topology::parse_address(bad)) << bad;
  }
}

TEST(Values, LabelsAreLowerCaseWithoutDoubleHyphens) {
  EXPECT_TRUE(topology::is_label("a"));
  EXPECT_TRUE(topology::is_label("edge-ams-1"));
  EXPECT_TRUE(topology::is_label(std::string(63, 'a')));
  for (auto const& bad : {std::string(), std::string("A"), std::string("-a"), std::string("a-"), std::string("a--b"),
                          std::string("a.b"), std::string("a_b"), std::string("\xc3\xa9"), std::string(64, 'a')}) {
    EXPECT_FALSE(topology::is_label(bad)) << bad;
  }
}

TEST(Values, DomainsBecomeAbsoluteAndLowerCase) {
  EXPECT_EQ(topology::parse_domain("Stream.Example"), "stream.example.");
  EXPECT_EQ(topology::parse_domain("stream.example."), "stream.example.");
  EXPECT_EQ(topology::parse_domain("_acme-challenge.a"), "_acme-challenge.a.");
  for (auto const& bad : {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a b"),
                          std::string(64, 'a'), std::string("a\\.b")}) {
    EXPECT_EQ(topology::parse_domain(bad), std::nullopt) << bad;
  }
  std::string longest;
  for (int i = 0; i < 126; ++i) {
    longest += "a.";
  }
  EXPECT_TRUE(topology::parse_domain(longest + "a."));
  EXPECT_FALSE(topology::parse_domain(longest + "aa."));
}

TEST(Values, AreasAreNumbersOrQuads) {
  EXPECT_EQ(topology::parse_area("0"), "0.0.0.0");
  EXPECT_EQ(topology::parse_area("258"), "0.0.1.2");
  EXPECT_EQ(topology::parse_area("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(topology::parse_area("4294967296"), std::nullopt);
  EXPECT_EQ(topology::parse_area("-1"), std::nullopt);
  EXPECT_EQ(topology::parse_area("0.0.0"), std::nullopt);
}

TEST(Values, BlocksOverlapWhenOneContainsTheOther) {
  auto const net4 = [](char const* text) { return topology::Block(*topology::parse_network4(text)); };
  auto const net6 = [](char const* text) { return topology::Block(*topology::parse_network6(text)); };
  auto const host = [](char const* text) { return topology::Block(*topology::parse_address(text)); };
  EXPECT_TRUE(overlap(net4("10.0.0.0/8"), net4("10.200.0.0/16")));
  EXPECT_TRUE(overlap(net4("10.200.0.0/16"), net4("10.0.0.0/8")));
  EXPECT_FALSE(overlap(net4("10.200.0.0/16"), net4("10.201.0.0/16")));
  EXPECT_TRUE(overlap(host("10.1.2.3"), net4("10.0.0.0/8")));
  EXPECT_FALSE(overlap(host("11.1.2.3"), net4("10.0.0.0/8")));
  EXPECT_FALSE(overlap(host("10.1.2.3"), host("10.1.2.2")));
  EXPECT_TRUE(overlap(net6("fd00::/8"), net6("fd00:1::/32")));
  EXPECT_FALSE(overlap(net6("fd00:1::/32"), net6("fd00:2::/32")));
  EXPECT_FALSE(overlap(net6("2000::/3"), net4("32.0.0.0/3")));
}

}  // namespace
