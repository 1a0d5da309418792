#include "mesh/controller/capacity/capacity.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace {

TEST(Capacity, TenThousandNodesHoldTwoConnectionsEachBesideStrangers) {
  EXPECT_GE(controller::connections_max(32768), 20000U + controller::strangers_max);
}

TEST(Capacity, DescriptorsAreLeftHoweverFewThereAre) {
  for (std::uint64_t const few : {64U, 1024U, 2561U, 4096U, 25279U, 1048576U}) {
    EXPECT_GE(few - controller::connections_max(few), few / 4 < 1280 ? few / 4 : 1280) << few;
  }
}

TEST(Capacity, TheLimitIsRaisedAsFarAsTheSystemLets) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit const low{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_GT(controller::raise_descriptors_max(), 256U);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_GT(after.rlim_cur, 256U);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
