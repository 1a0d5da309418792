#include "mesh/settings/limits.hpp"

#include <gtest/gtest.h>

namespace privateer {
namespace {

Settings everything() {
  Settings out;
  out.bird_start = {"bird"};
  out.names_hosts = "/etc/hosts";
  out.edge.emplace();
  out.edge->directory = "/var/lib/certificates";
  out.edge->nginx_file = "/etc/nginx/tenants.conf";
  out.edge->haproxy_file = "/etc/haproxy/tenants.list";
  out.edge->caddy_file = "/etc/caddy/tenants.conf";
  out.edge->reload = {"nginx", "-s", "reload"};
  return out;
}

TEST(Limits, RootHasNone) {
  Privileges root;
  root.root = true;
  EXPECT_TRUE(limits(everything(), root).empty());
}

TEST(Limits, EachSettingThatNeedsMoreIsNamed) {
  auto const found = limits(everything(), {});
  std::vector<std::string> settings;
  for (auto const& sentence : found) {
    settings.push_back(sentence.substr(0, sentence.find(':')));
  }
  EXPECT_EQ(settings,
            (std::vector<std::string>{"bird.start", "wireguard", "wireguard", "names.hosts", "edge.nginx_file",
                                      "edge.haproxy_file", "edge.caddy_file", "edge.directory"}));
}

TEST(Limits, AnAgentWithItsOwnFoldersHasNone) {
  EXPECT_TRUE(limits(Settings(), {false, false, true, true, true, true, true, true, true}).empty());
  Settings kernel;
  kernel.wireguard.choice = wireguard::BackendChoice::kernel;
  EXPECT_TRUE(limits(kernel, {false, false, false, false, true, true, true, true, true}).empty());
}

TEST(Limits, SystemdLetsNobodyStartAUnitWithoutPolkit) {
  Privileges has{false, false, true, true, true, true, true, true, true, true, false};
  auto const found = limits(Settings(), has);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("wireguard.service: "));
  Settings kernel;
  kernel.wireguard.choice = wireguard::BackendChoice::kernel;
  EXPECT_TRUE(limits(kernel, has).empty());
  has.polkit = true;
  EXPECT_TRUE(limits(Settings(), has).empty());
}

TEST(Limits, ThatAReloadMayNeedARuleIsOnlyAHint) {
  EXPECT_NE(reload_hint(everything(), {}).find("nginx runs as this user"), std::string::npos);
  Privileges root;
  root.root = true;
  EXPECT_EQ(reload_hint(everything(), root), "");
  EXPECT_EQ(reload_hint(Settings(), {}), "");
}

TEST(Limits, AreLookedUpForThisProcess) {
  Settings settings;
  settings.wireguard.socket_directory = testing::TempDir() + "/not/yet/there";
  EXPECT_TRUE(look_at_privileges(settings).wireguard_folder);
}

}  // namespace
}  // namespace privateer
