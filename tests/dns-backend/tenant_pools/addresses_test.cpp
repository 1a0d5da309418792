#include "dns-backend/tenant_pools/addresses.hpp"

#include <gtest/gtest.h>

namespace tenant_pools {
namespace {

TEST(Addresses, NothingInsideIsReachedWhateverItIsWrittenAs) {
  for (char const* const inside : {"0.0.0.0",
                                   "0.1.2.3",
                                   "10.0.0.1",
                                   "100.64.0.1",
                                   "127.0.0.1",
                                   "127.255.255.254",
                                   "169.254.169.254",
                                   "172.16.0.1",
                                   "172.31.255.255",
                                   "192.0.0.8",
                                   "192.168.1.1",
                                   "198.18.0.1",
                                   "224.0.0.1",
                                   "239.1.1.1",
                                   "240.0.0.1",
                                   "255.255.255.255",
                                   "::",
                                   "::1",
                                   "::7f00:1",
                                   "::ffff:127.0.0.1",
                                   "::ffff:203.0.113.1",
                                   "64:ff9b::a00:1",
                                   "64:ff9b:1::1",
                                   "fc00::1",
                                   "fd12:3456::1",
                                   "fe80::1",
                                   "fe80::1%eth0",
                                   "fec0::1",
                                   "ff02::1",
                                   "2002:7f00:1::",
                                   "2001:0:1::1",
                                   "100::1",
                                   "4000::1",
                                   "",
                                   "localhost",
                                   "1.2.3",
                                   "203.0.113.1/32"}) {
    EXPECT_NE(why_refused(inside, {}), "") << inside;
  }
}

TEST(Addresses, PublicOnesAreAllowed) {
  for (char const* const fine : {"203.0.113.1", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1",
                                 "223.255.255.255", "2606:4700::1111", "2001:db8::1", "3fff::1"}) {
    EXPECT_EQ(why_refused(fine, {}), "") << fine;
  }
}

TEST(Addresses, SettingsAllowAndRefuseAndTheLatterComesFirst) {
  Boundaries const boundaries{{"10.1.0.0/16", "fd00::/8", "192.168.0.7"}, {"10.1.2.0/24", "203.0.113.0/24", "fd00::1"}};
  EXPECT_EQ(why_refused("10.1.1.1", boundaries), "");
  EXPECT_EQ(why_refused("192.168.0.7", boundaries), "");
  EXPECT_EQ(why_refused("fd00::2", boundaries), "");
  for (char const* const refused : {"10.1.2.9", "203.0.113.200", "fd00::1", "10.2.0.1", "192.168.0.8"}) {
    EXPECT_NE(why_refused(refused, boundaries), "") << refused;
  }
  EXPECT_EQ(why_refused("203.0.113.1", boundaries), "it is the platform's own");
}

}  // namespace
}  // namespace tenant_pools
