#include "dns-backend/site_settings/site_settings.hpp"

#include <gtest/gtest.h>

namespace navigator {
namespace {

Settings three_sites() {
  Settings settings;
  settings.node = "dns-ams";
  settings.mesh_bird = "/run/bird.ctl";
  for (char const* const name : {"ams", "nyc", "sin"}) {
    SiteSettings site;
    site.name = name;
    site.node = std::string("dns-") + name;
    settings.sites.push_back(site);
  }
  settings.sites[1].url = "https://10.200.0.2:18010";
  settings.sites[2].loopback = "10.200.0.3";
  return settings;
}

TEST(SiteSettings, PeersAreTheOtherSitesWithAUrlEachUnderItsNodesName) {
  auto const out = exchange_settings(three_sites());
  EXPECT_EQ(out.site, "ams");
  ASSERT_EQ(out.peers.size(), 1U);
  EXPECT_EQ(out.peers[0].site, "nyc");
  EXPECT_EQ(out.peers[0].node, "dns-nyc");
  EXPECT_EQ(out.peers[0].client.tls.server_name, "dns-nyc");
}

TEST(SiteSettings, CostsAreAskedOfTheOtherSitesWithALoopback) {
  auto const out = mesh_costs_settings(three_sites());
  EXPECT_EQ(out.bird, "/run/bird.ctl");
  EXPECT_EQ(out.own, "ams");
  ASSERT_EQ(out.sites.size(), 1U);
  EXPECT_EQ(out.sites[0].name, "sin");
}

}  // namespace
}  // namespace navigator
