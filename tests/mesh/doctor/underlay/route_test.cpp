#include "mesh/doctor/underlay/route.hpp"

#include <gtest/gtest.h>

namespace {

wireguard::Address address(char const* text) {
  return boost::asio::ip::make_address(text);
}

TEST(Route, ToThisMachineGoesThroughLo) {
  EXPECT_EQ(doctor::interface_towards(address("127.0.0.5")).value(), "lo");
  EXPECT_EQ(doctor::interface_towards(address("::1")).value(), "lo");
}

// RFC 5737 and RFC 3849: wherever a default route leads, it is not lo.
TEST(Route, ToElsewhereDoesNot) {
  EXPECT_NE(doctor::interface_towards(address("192.0.2.1")).value(), "lo");
}

}  // namespace
