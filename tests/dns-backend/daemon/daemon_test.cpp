#include "dns-backend/daemon/daemon.hpp"

#include <gtest/gtest.h>

namespace {

TEST(WarmFile, StandsBesideTheStoreIfThatIsAFile) {
  EXPECT_EQ(navigator::warm_file("sqlite:///var/lib/navigator/navigator.db"),
            "/var/lib/navigator/navigator.db-health.json");
  EXPECT_EQ(navigator::warm_file("sqlite://:memory:"), "");
  EXPECT_EQ(navigator::warm_file("postgresql://db/navigator"), "");
  EXPECT_EQ(navigator::warm_file(""), "");
}

}  // namespace
