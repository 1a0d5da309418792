#include "acme/gate/dns01.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using testing::ElementsAre;

TEST(Gate, LooksOnlyAtSitesInServiceAndAsksOnlyThoseThatAcknowledged) {
  std::vector<Site> const sites{{"ams", "192.0.2.1", 53, true, 9},
                                {"fra", "192.0.2.2", 53, true, 8},
                                {"lon", "192.0.2.3", 53, false, 1},
                                {"par", "192.0.2.4", 53, true, 10}};
  GateView const view = look(sites, 9, {"par 192.0.2.4 53"});
  ASSERT_EQ(view.ask.size(), 1U);
  EXPECT_EQ(view.ask.front().name, "ams");
  EXPECT_THAT(view.behind, ElementsAre("fra has revision 8 of 9"));
  EXPECT_TRUE(view.any_in_service);
  EXPECT_FALSE(look({sites[2]}, 9, {}).any_in_service);
  // At another address the site has proved nothing.
  EXPECT_EQ(look(sites, 9, {"ams 192.0.2.99 53"}).ask.size(), 2U);
}

TEST(Everywhere, TheSlowestSiteInServiceCounts) {
  EXPECT_EQ(acknowledged_everywhere({}, 9), 9);
  EXPECT_EQ(acknowledged_everywhere({{"a", "", 53, true, 8}, {"b", "", 53, true, 5}, {"c", "", 53, false, 2}}, 9), 5);
  EXPECT_EQ(acknowledged_everywhere({{"c", "", 53, false, 2}}, 9), 9) << "nobody is led to a site out of service";
}

}  // namespace
}  // namespace acme
