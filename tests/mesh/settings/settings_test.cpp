#include "mesh/settings/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace privateer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char const* complete = R"(
node: ams-1
state: /var/lib/p
topology: /etc/privateer/topology.yaml
controller: {url: "https://198.51.100.10:18012"}
agent: {unix: /run/p/agent.sock, metrics: "[::1]:18013"}
wireguard: {backend: userspace, service: child, command: [env, GOMAXPROCS=1, wireguard-go]}
bird: {config: /run/p/bird.conf, control: /run/p/bird.ctl, start: [bird, -f, -c, /run/p/bird.conf]}
edge:
  navigators: ["https://10.200.0.1:18010"]
  directory: /var/lib/p/certificates
  nginx_file: /etc/nginx/p.conf
  reload: [nginx, -s, reload]
  probe: "127.0.0.1:8443"
serve: {listen: "0.0.0.0:18012", unix: /run/p/controller.sock, cost_hold: 2m, root: elsewhere}
)";

std::string problems(std::string const& text) {
  auto const settings = parse_settings(text, "p.yaml");
  return settings ? std::string() : base::text(settings.error());
}

TEST(Settings, EveryKeyIsRead) {
  ASSERT_EQ(problems(complete), "");
  auto const settings = *parse_settings(complete, "p.yaml");
  EXPECT_EQ(settings.node, "ams-1");
  EXPECT_EQ(settings.controller_url, "https://198.51.100.10:18012");
  EXPECT_EQ(settings.wireguard.choice, wireguard::BackendChoice::userspace);
  EXPECT_EQ(settings.wireguard.service, wireguard::ServiceChoice::child);
  EXPECT_THAT(settings.wireguard.command, ElementsAre("env", "GOMAXPROCS=1", "wireguard-go"));
  EXPECT_EQ(settings.bird_control, "/run/p/bird.ctl");
  EXPECT_EQ(settings.bird_start.size(), 4U);
  EXPECT_EQ(settings.agent_metrics, "[::1]:18013");
  EXPECT_EQ(settings.serve_cost_hold_s, 120);
  EXPECT_TRUE(settings.serve_root_elsewhere);
  EXPECT_EQ(settings.edge->probe.text(), "127.0.0.1:8443");
  EXPECT_EQ(settings.serve_listen, "0.0.0.0:18012");
  EXPECT_EQ(settings.serve_state, "/var/lib/p/controller");
}

TEST(Settings, WhatCannotBeListenedOnOrWaitedForIsToldWithItsPlace) {
  auto const text =
      problems("node: a\nagent: {metrics: somewhere}\nserve: {listen: '[::]:1', cost_hold: 9s, root: safe}\n");
  EXPECT_THAT(text, HasSubstr("p.yaml:2:18: agent.metrics: 'somewhere' is not an address with a port"));
  EXPECT_THAT(text, HasSubstr("serve.cost_hold: '9s' is no duration of 10 s to a day"));
  EXPECT_THAT(text, HasSubstr("serve.root: 'safe' is neither 'here' nor 'elsewhere'"));
}

TEST(Settings, ANodeIsEnough) {
  auto const settings = parse_settings("node: a\n", "p.yaml");
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->state, "/var/lib/privateer");
  EXPECT_EQ(settings->wireguard.choice, wireguard::BackendChoice::automatic);
  EXPECT_EQ(settings->wireguard.service, wireguard::ServiceChoice::automatic);
  EXPECT_EQ(settings->rules, Settings::Rules::when_installed);
  EXPECT_THAT(settings->rules_command, ElementsAre("nft"));
  EXPECT_FALSE(settings->edge.has_value());
  EXPECT_TRUE(settings->serve_listen.empty());
}

TEST(Settings, AllMistakesAreToldAtOnce) {
  auto const text = problems(R"(
node: "Not a label"
stat: /x
state: relative
controller: {url: "http://x"}
wireguard: {backend: kernal}
rules: {keep: sometimes}
agent: {unix: relative.sock}
edge: {navigators: [], directory: d, probe: nowhere}
serve: {listen: "18012"}
)");
  for (auto const* part : {"p.yaml:2:7: node:", "p.yaml:3:1", "did you mean 'state'",
                           "p.yaml:4:8: state:", "controller.url", "wireguard.backend", "'kernel'", "rules.keep",
                           "agent.unix", "edge.navigators", "edge.directory", "edge.probe", "serve.listen"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Settings, TheCommandOfAServiceIsInItsUnit) {
  auto const text = problems("node: a\nwireguard: {service: systemd, command: [nice, wireguard-go]}\n");
  EXPECT_THAT(text, HasSubstr("wireguard.command"));
  EXPECT_THAT(text, HasSubstr("ExecStart="));
  EXPECT_THAT(problems("node: a\nwireguard: {service: openrc}\n"), HasSubstr("none of auto, systemd, child"));
}

TEST(Settings, ASocketPathThatNoKernelTakesIsRefused) {
  EXPECT_THAT(problems("node: a\nagent: {unix: /" + std::string(120, 'x') + "}\n"), HasSubstr("107"));
}

TEST(Settings, AMissingFileIsOneProblem) {
  auto const settings = load_settings("/nonexistent/privateer.yaml");
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().size(), 1U);
}

TEST(Duration, HasUnits) {
  EXPECT_EQ(parse_duration_s("90"), 90);
  EXPECT_EQ(parse_duration_s("90s"), 90);
  EXPECT_EQ(parse_duration_s("15m"), 900);
  EXPECT_EQ(parse_duration_s("2h"), 7200);
  EXPECT_EQ(parse_duration_s("7d"), 604800);
  for (char const* bad : {"", "h", "0", "-1h", "1w", "1 h", "1h30m", "99999999999999999999"}) {
    EXPECT_FALSE(parse_duration_s(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace privateer
