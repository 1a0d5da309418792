#include "mesh/guard/strays.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace guard {
namespace {

TEST(Strays, OnlyBirdTheKernelAndDetoursBelongOnMeshDevices) {
  std::vector<int> belonging;
  for (int protocol = 0; protocol < 256; ++protocol) {
    if (belongs(static_cast<std::uint8_t>(protocol))) {
      belonging.push_back(protocol);
    }
  }
  EXPECT_EQ(belonging, (std::vector<int>{2, 12, 201}));
}

// In a network namespace of a thread of its own.
TEST(Strays, AreRemovedFromMeshDevicesAloneInBothFamilies) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  std::string skipped;
  std::vector<std::string> removed;
  std::vector<std::string> again;
  int left = 0;
  std::thread([&] {
    std::string commands = "true";
    for (auto const* device : {"wg-a", "wg-b", "eth9"}) {
      commands += std::string(" && ip link add ") + device + " type veth peer name p" + device + " && ip link set " +
                  device + " up && ip link set p" + device + " up";
    }
    commands +=
        " && ip route add 10.9.0.0/24 dev eth9 proto static && ip route add 10.9.1.0/24 dev wg-a proto 12"
        " && ip route add 10.9.2.0/24 dev wg-a proto static && ip -6 route add fd09::/64 dev wg-b proto static"
        " && ip route add 10.9.3.0/24 proto static nexthop dev wg-a nexthop dev wg-b"
        " && ip route add 10.9.4.0/24 proto static nexthop dev wg-a nexthop dev eth9";
    if (::unshare(CLONE_NEWNET) != 0 || std::system(commands.c_str()) != 0) {
      skipped = "needs network namespaces, veth and ip";
      return;
    }
    auto strays = Strays::open();
    ASSERT_TRUE(strays) << strays.error().what();
    auto const first = strays->remove({"wg-a", "wg-b", "wg-gone"});
    ASSERT_TRUE(first) << first.error().what();
    removed = *first;
    again = strays->remove({"wg-a", "wg-b"}).value();
    for (auto const* route : {"10.9.0.0/24", "10.9.1.0/24", "10.9.4.0/24"}) {
      auto const there = std::string("ip route show ") + route + " | grep -q .";
      left += std::system(there.c_str()) == 0 ? 1 : 0;
    }
  }).join();
  if (!skipped.empty()) {
    GTEST_SKIP() << skipped;
  }
  EXPECT_EQ(removed.size(), 3U);
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(left, 3) << "somebody else's, BIRD's, and one that has another way";
}

}  // namespace
}  // namespace guard
