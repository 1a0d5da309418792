#include "mesh/wireguard/device.hpp"

#include <gtest/gtest.h>

namespace wireguard {
namespace {

TEST(Network, ReadsAndWritesBothFamilies) {
  for (char const* text : {"10.200.0.3/32", "0.0.0.0/0", "::/0", "fe80::1/64", "fd00::1/128"}) {
    EXPECT_EQ(parse_network(text).value().text(), text);
  }
  EXPECT_EQ(parse_network("10.0.0.1").value().text(), "10.0.0.1/32");
  EXPECT_EQ(parse_network("::1").value().length, 128);
}

TEST(Network, RefusesWhatIsNotOne) {
  for (char const* text : {"", "/", "10.0.0.1/", "10.0.0.1/33", "::/129", "10.0.0/8", "10.0.0.1/-1", "10.0.0.1/8 "}) {
    EXPECT_FALSE(parse_network(text).has_value()) << text;
  }
}

TEST(Endpoint, ReadsAndWritesBothFamilies) {
  for (char const* text : {"192.0.2.1:51820", "[2001:db8::1]:1"}) {
    EXPECT_EQ(parse_endpoint(text).value().text(), text);
  }
}

TEST(Endpoint, RefusesWhatIsNotOne) {
  for (char const* text : {"", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "2001:db8::1:1",
                           "[192.0.2.1]:1", "[]:1", "host:1"}) {
    EXPECT_FALSE(parse_endpoint(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace wireguard
