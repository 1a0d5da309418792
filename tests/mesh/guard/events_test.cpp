#include "mesh/guard/events.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <vector>

namespace guard {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes message(std::uint16_t type, std::uint8_t protocol) {
  struct {
    nlmsghdr header;
    rtmsg route;
  } one{};
  one.header.nlmsg_len = sizeof one;
  one.header.nlmsg_type = type;
  one.route.rtm_protocol = protocol;
  Bytes out(sizeof one);
  std::memcpy(out.data(), &one, sizeof one);
  return out;
}

Bytes joined(Bytes first, Bytes const& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(Events, RoutesOfBirdTheKernelAndDetoursAreNoNews) {
  for (int const protocol : {RTPROT_BIRD, RTPROT_KERNEL, 201}) {
    EXPECT_FALSE(is_news(message(RTM_NEWROUTE, static_cast<std::uint8_t>(protocol)))) << protocol;
  }
  EXPECT_FALSE(is_news(message(RTM_DELROUTE, RTPROT_STATIC))) << "what goes is nobody's any more";
}

TEST(Events, AStrangersRouteAndASettingAre) {
  EXPECT_TRUE(is_news(message(RTM_NEWROUTE, RTPROT_STATIC)));
  EXPECT_TRUE(is_news(message(RTM_NEWROUTE, RTPROT_BOOT)));
  EXPECT_TRUE(is_news(message(RTM_NEWNETCONF, 0)));
  EXPECT_TRUE(is_news(joined(message(RTM_NEWROUTE, RTPROT_BIRD), message(RTM_NEWROUTE, RTPROT_BOOT))))
      << "the second of two in one datagram";
}

TEST(Events, WhatIsCutOffIsNoNewsAndReadNoFurther) {
  auto whole = message(RTM_NEWROUTE, RTPROT_STATIC);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(is_news(std::span(whole).first(size))) << size;
  }
  std::uint32_t const lies[] = {0, 1, 15, 17, 1U << 31U};
  for (auto const lie : lies) {
    auto bad = whole;
    std::memcpy(bad.data(), &lie, sizeof lie);
    EXPECT_FALSE(is_news(bad)) << lie;
  }
}

}  // namespace
}  // namespace guard
