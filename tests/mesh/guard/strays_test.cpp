#include "mesh/guard/strays.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace guard
