#include "mesh/wireguard/kernel/route_dump.hpp"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace wireguard::netlink {
namespace {

TEST(RouteDump, AsksForOneDeviceOfTheMainTable) {
  auto const one = dump_request(AF_INET6, 7);
  nlmsghdr header{};
  std::memcpy(&header, one.data(), sizeof header);
  EXPECT_EQ(header.nlmsg_len, one.size());
  EXPECT_EQ(header.nlmsg_type, RTM_GETROUTE);
  EXPECT_EQ(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
  rtmsg route{};
  std::memcpy(&route, one.data() + NLMSG_HDRLEN, sizeof route);
  EXPECT_EQ(route.rtm_family, AF_INET6);
  rtattr attribute{};
  std::memcpy(&attribute, one.data() + NLMSG_LENGTH(sizeof route) + RTA_SPACE(sizeof(std::uint32_t)), sizeof attribute);
  EXPECT_EQ(attribute.rta_type, RTA_OIF);
  EXPECT_EQ(dump_request(AF_INET, 0).size(), static_cast<std::size_t>(NLMSG_LENGTH(sizeof(rtmsg))));
}

// In a network namespace of a thread of its own.
TEST(RouteDump, GetsNothingOfOtherDevicesFromAStrictKernel) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  std::string skipped;
  std::size_t of_mesh = 0;
  std::size_t of_all = 0;
  std::thread([&] {
    std::string commands = "ip link add wg-a type veth peer name far-a && ip link add eth9 type veth peer name far-9";
    for (auto const* device : {"wg-a", "far-a", "eth9", "far-9"}) {
      commands += std::string(" && ip link set ") + device + " up";
    }
    for (int i = 0; i < 200; ++i) {
      commands += " && ip route add 10.9." + std::to_string(i) + ".0/24 dev eth9 proto 12";
    }
    commands += " && ip route add 10.8.0.0/24 dev wg-a proto 12 && ip route add 10.8.1.0/24 dev wg-a proto static";
    if (::unshare(CLONE_NEWNET) != 0 || std::system(commands.c_str()) != 0) {
      skipped = "needs network namespaces, veth and ip";
      return;
    }
    auto socket = Socket::open(NETLINK_ROUTE);
    ASSERT_TRUE(socket) << socket.error().what();
    if (!be_strict(*socket)) {
      skipped = "the kernel lists everything";
      return;
    }
    auto const count = [](std::size_t& to) {
      return [&to](rtmsg const& route, std::span<std::uint8_t const>) { to += route.rtm_family == AF_INET ? 1U : 0U; };
    };
    EXPECT_TRUE(dump_routes(*socket, true, {::if_nametoindex("wg-a")}, count(of_mesh)));
    EXPECT_TRUE(dump_routes(*socket, true, {0}, count(of_all)));
    EXPECT_TRUE(dump_routes(*socket, true, {99999}, count(of_mesh))) << "a device that has gone has no routes";
  }).join();
  if (!skipped.empty()) {
    GTEST_SKIP() << skipped;
  }
  EXPECT_EQ(of_mesh, 2U);
  EXPECT_EQ(of_all, 202U);
}

}  // namespace
}  // namespace wireguard::netlink
