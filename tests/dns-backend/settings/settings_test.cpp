#include "dns-backend/settings/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::HasSubstr;

constexpr char const* smallest = R"(store: { url: "sqlite:///var/lib/navigator/navigator.db" }
remote: { unix: /run/navigator/remote.sock }
api: { unix: /run/navigator/api.sock }
powerdns: { control: [/run/pdns/pdns.controlsocket] }
)";

TEST(Settings, TheSmallestFileIsEnough) {
  auto const settings = navigator::parse_settings(smallest, "navigator.yaml");
  ASSERT_TRUE(settings.has_value()) << base::text(settings.error());
  EXPECT_EQ(settings->store_url, "sqlite:///var/lib/navigator/navigator.db");
  EXPECT_EQ(settings->remote_unix, "/run/navigator/remote.sock");
  EXPECT_EQ(settings->api_unix, "/run/navigator/api.sock");
  EXPECT_EQ(settings->powerdns_control, std::vector<std::string>{"/run/pdns/pdns.controlsocket"});
  EXPECT_FALSE(settings->replica.has_value());
  EXPECT_FALSE(settings->acme.has_value());
}

TEST(Settings, TenantsMayNotHaveThePlatformsOwnAddressesChecked) {
  auto const settings = navigator::parse_settings(
      "store: { url: \"sqlite:///n.db\" }\n"
      "api: { unix: a, listen: \"198.51.100.7:18010\", tls: { certificate: c, key: k, ca: a } }\n"
      "health: { witnesses: [\"[2001:db8::5]:53\"] }\n"
      "sites:\n"
      "  - { name: ams, node: dns-ams, address: 198.51.100.1 }\n"
      "  - { name: fra, node: dns-fra, address: 198.51.100.2, url: \"https://[2001:db8::2]:18010\" }\n"
      "  - { name: lon, node: dns-lon, address: 198.51.100.2, url: \"https://198.51.100.3:18010/\" }\n"
      "  - { name: par, node: dns-par, address: 198.51.100.4, url: \"https://par.example.org\" }\n"
      "tenants: { origins: { refuse: [192.0.2.0/24] } }\n",
      "navigator.yaml");
  ASSERT_TRUE(settings.has_value()) << base::text(settings.error());
  EXPECT_THAT(settings->tenants.origins_refused,
              testing::UnorderedElementsAre("192.0.2.0/24", "198.51.100.7", "2001:db8::5", "198.51.100.1",
                                            "198.51.100.2", "2001:db8::2", "198.51.100.3", "198.51.100.4"));
}

TEST(Settings, RevokedCertificatesAreListedBesideTheAuthorityUnlessItIsSaidOtherwise) {
  auto const crl_of = [](std::string const& tls) {
    auto const settings = navigator::parse_settings(
        "store: { url: \"sqlite:///n.db\" }\napi: { unix: a, listen: \"0.0.0.0:18010\", tls: { certificate: c, key: "
        "k, " +
            tls + " } }\n",
        "navigator.yaml");
    return settings ? settings->api_tls->crl : base::text(settings.error());
  };
  EXPECT_EQ(crl_of("ca: /var/lib/privateer/ca.crt"), "/var/lib/privateer/ca.crl");
  EXPECT_EQ(crl_of("ca: root.pem"), "ca.crl");
  EXPECT_EQ(crl_of("ca: /a/ca.crt, crl: /b/revoked.pem"), "/b/revoked.pem");
}

TEST(Settings, ReportsEveryMistakeWithItsPlace) {
  auto const settings = navigator::parse_settings(
      "store: { url: \"postgres://x\" }\n"
      "api: { unix: /run/a.sock, listen: \"[::]:18010\" }\n"
      "remot: { unix: /run/r.sock }\n"
      "acme: { directory: \"http://ca\", master_key: k, contact: ops@example.org }\n"
      "sites:\n  - { name: ams, node: dns-ams, address: not-one }\n",
      "navigator.yaml");
  ASSERT_TRUE(settings.has_error());
  std::string const text = base::text(settings.error());
  EXPECT_THAT(text, HasSubstr("navigator.yaml:1:"));
  EXPECT_THAT(text, HasSubstr("does not begin with sqlite://"));
  EXPECT_THAT(text, HasSubstr("a TCP listener needs api.tls"));
  EXPECT_THAT(text, HasSubstr("navigator.yaml:3:1: the key 'remot' is unknown"));
  EXPECT_THAT(text, HasSubstr("remote"));
  EXPECT_THAT(text, HasSubstr("does not begin with https://"));
  EXPECT_THAT(text, HasSubstr("does not begin with mailto:"));
  EXPECT_THAT(text, HasSubstr("'not-one' is not an IP address"));
}

TEST(Settings, WithoutTlsOnlyLoopbackAndOnlyWithAKey) {
  std::string const rest = "store: { url: \"sqlite:///n.db\" }\n";
  auto const parse = [&rest](std::string const& api) {
    return navigator::parse_settings(rest + api, "navigator.yaml");
  };
  auto const good = parse("api: { unix: a, listen: \"127.0.0.1:8081\", key_file: /etc/navigator/key }\n");
  ASSERT_TRUE(good.has_value()) << base::text(good.error());
  EXPECT_EQ(good->api_key_file, "/etc/navigator/key");
  EXPECT_EQ(good->powerdns_address, "127.0.0.1");
  EXPECT_TRUE(parse("api: { unix: a, listen: \"127.0.0.1:8081\" }\n").has_error());
  EXPECT_TRUE(parse("api: { unix: a, listen: \"0.0.0.0:8081\", key_file: k }\n").has_error());
  EXPECT_TRUE(parse("api: { unix: a }\npowerdns: { address: there }\n").has_error());
}

TEST(Settings, TheHandOverSocketLiesBesideTheOther) {
  EXPECT_EQ(navigator::parse_settings(smallest, "x")->handover, "/run/navigator/remote.sock.handover");
  auto const with = [](std::string const& remote) {
    return navigator::parse_settings("store: { url: \"sqlite:///n.db\" }\napi: { unix: /a.sock }\nremote: " + remote,
                                     "n.yaml");
  };
  EXPECT_EQ(with("{ unix: /r.sock, handover: /h.sock }")->handover, "/h.sock");
  EXPECT_EQ(with("{ http: \"127.0.0.1:18053\" }")->handover, "") << "there is nothing to lie beside";
  EXPECT_EQ(with("{ unix: /" + std::string(105, 'x') + " }")->handover, "") << "no path may be so long";
  EXPECT_EQ(with("{ http: \"127.0.0.1:18053\" }")->remote_http, "127.0.0.1:18053");
  auto const open = with("{ http: \"0.0.0.0:18053\" }");
  ASSERT_TRUE(open.has_error());
  EXPECT_THAT(base::text(open.error()), HasSubstr("n.yaml:3:"));
  EXPECT_THAT(base::text(open.error()), HasSubstr("not a loopback address"));
}

TEST(Settings, TheSocketOfPowerDnsIsForItsGroupAlone) {
  auto const with = [](std::string const& remote) {
    std::string const rest = "store: { url: \"sqlite:///n.db\" }\napi: { unix: /a.sock }\n";
    return navigator::parse_settings(rest + "remote: { unix: /r" + remote + " }", "n.yaml");
  };
  EXPECT_EQ(with("")->remote_unix_mode, 0660U);
  EXPECT_EQ(with("")->remote_unix_group, "");
  auto const named = with(", unix_group: dns, unix_mode: \"0600\"");
  ASSERT_TRUE(named.has_value()) << base::text(named.error());
  EXPECT_EQ(named->remote_unix_mode, 0600U);
  EXPECT_EQ(named->remote_unix_group, "dns");
  for (char const* const wrong : {"0666", "0661", "0060", "660x", "rw", "1660", "7777777777777"}) {
    auto const refused = with(std::string(", unix_mode: \"") + wrong + "\"");
    ASSERT_TRUE(refused.has_error()) << wrong;
    EXPECT_THAT(base::text(refused.error()), HasSubstr("n.yaml:3:")) << wrong;
  }
  EXPECT_THAT(base::text(with(", unix_mode: 0666").error()), HasSubstr("unix_group"));
}

TEST(Settings, APowerDnsApiNeedsItsKey) {
  auto const with = [](std::string const& api) {
    return navigator::parse_settings(
        std::string(smallest).replace(std::string(smallest).find("{ control"), 9, "{ api: [" + api + "], control"),
        "n.yaml");
  };
  auto const good = with("{ url: \"http://127.0.0.1:8081/\", key: secret }");
  ASSERT_TRUE(good.has_value()) << base::text(good.error());
  EXPECT_EQ(good->powerdns_api.at(0).url, "http://127.0.0.1:8081");
  EXPECT_EQ(good->powerdns_api.at(0).key, "secret");
  EXPECT_EQ(with("{ url: \"http://127.0.0.1:8081\", key_file: /k }")->powerdns_api.at(0).key_file, "/k");
  for (char const* const bad : {"{ url: \"http://127.0.0.1:8081\" }", "{ url: \"127.0.0.1:8081\", key: k }",
                                "{ url: \"http://127.0.0.1:8081\", key: k, key_file: f }"}) {
    EXPECT_TRUE(with(bad).has_error()) << bad;
  }
}

TEST(Settings, AReplicaIssuesNothing) {
  auto const settings = navigator::parse_settings(
      std::string(smallest) +
          "replica: { primary: \"https://10.200.0.1:18010\", node: dns-ams, tls: { certificate: c, key: k, ca: a } }\n"
          "acme: { directory: \"https://ca/dir\", master_key: k }\n",
      "navigator.yaml");
  ASSERT_TRUE(settings.has_error());
  EXPECT_THAT(base::text(settings.error()), HasSubstr("a replica issues no certificates"));
}

TEST(Settings, CaaRecordsArePublishedOnlyWhenItIsSaid) {
  std::string const head = std::string(smallest) + "acme:\n  directory: \"https://ca/dir\"\n  master_key: k\n";
  EXPECT_FALSE(navigator::parse_settings(head, "n.yaml")->acme->publish_caa);
  EXPECT_FALSE(navigator::parse_settings(head + "  caa: check\n", "n.yaml")->acme->publish_caa);
  EXPECT_TRUE(navigator::parse_settings(head + "  caa: publish\n", "n.yaml")->acme->publish_caa);
  auto const wrong = navigator::parse_settings(head + "  caa: yes\n", "n.yaml");
  ASSERT_TRUE(wrong.has_error());
  EXPECT_EQ(wrong.error().at(0).path, "acme.caa");
}

TEST(Settings, EachCaHasItsChallengeAndItsLimits) {
  std::string const head = std::string(smallest) + "acme:\n  directory: \"https://ca/dir\"\n  master_key: k\n";
  auto const good = navigator::parse_settings(
      head +
          "  challenge: dns-persist-01\n  persist_for: 400d\n"
          "  limits: { new_orders: { count: 600, per: 3h }, exact_set: { count: 0, per: 1s } }\n"
          "  fallbacks:\n    - { directory: \"https://other/dir\", challenge: dns-account-01,\n"
          "        limits: { registered_domain: { count: 5, per: 7d }, failures: { count: 1, per: 1h } } }\n",
      "n.yaml");
  ASSERT_FALSE(good.has_error()) << base::text(good.error());
  navigator::CaSettings const& first = good->acme->authorities.at(0);
  navigator::CaSettings const& second = good->acme->authorities.at(1);
  EXPECT_EQ(first.challenge, "dns-persist-01");
  EXPECT_EQ(first.persist_for, std::chrono::hours(400 * 24));
  EXPECT_EQ(first.limits.new_orders->count, 600U);
  EXPECT_EQ(first.limits.new_orders->per, std::chrono::hours(3));
  EXPECT_EQ(first.limits.exact_set->count, 0U);
  EXPECT_FALSE(first.limits.registered_domain);
  EXPECT_EQ(second.challenge, "dns-account-01");
  EXPECT_EQ(second.limits.registered_domain->count, 5U);
  EXPECT_EQ(second.limits.failures->per, std::chrono::hours(1));
  auto const plain = navigator::parse_settings(head, "n.yaml");
  EXPECT_EQ(plain->acme->authorities.at(0).challenge, "dns-01") << "the others are asked for";

  auto const wrong =
      navigator::parse_settings(head +
                                    "  challenge: http-01\n  persist_for: 1h\n"
                                    "  limits: { new_orders: { count: -1, per: 91d }, exact_set: { count: 3 }, "
                                    "domains: { count: 1, per: 1h } }\n",
                                "n.yaml");
  ASSERT_TRUE(wrong.has_error());
  std::string const text = base::text(wrong.error());
  for (char const* const problem :
       {"'http-01' is no challenge that is answered here", "only a dns-persist-01 record stays",
        "acme.limits.new_orders.count", "acme.limits.new_orders.per", "acme.limits.exact_set",
        "the key 'domains' is unknown"}) {
    EXPECT_THAT(text, HasSubstr(problem));
  }
  auto const brief = navigator::parse_settings(head + "  challenge: dns-persist-01\n  persist_for: 1h\n", "n.yaml");
  ASSERT_TRUE(brief.has_error());
  EXPECT_THAT(base::text(brief.error()), HasSubstr("is shorter than a day"));
}

TEST(Settings, HealthIsToldKeptAndExchanged) {
  std::string const text = std::string(smallest) +
                           "node: dns-ams\n"
                           "health:\n  transitions_days: 7\n  witnesses: [\"192.0.2.1:53\", \"[2001:db8::1]:53\"]\n"
                           "  webhooks:\n    - { url: \"https://ops.example.net/hook\", secret_file: /etc/s }\n"
                           "geo: { cidr_map: /etc/clients.map }\n";
  auto const good = navigator::parse_settings(text, "n.yaml");
  ASSERT_TRUE(good.has_value()) << base::text(good.error());
  EXPECT_EQ(good->transitions_days, 7U);
  EXPECT_EQ(good->witnesses.size(), 2U);
  EXPECT_EQ(good->webhooks[0].secret_file, "/etc/s");
  EXPECT_EQ(good->geo_cidr_map, "/etc/clients.map");
  auto const bad = navigator::parse_settings(
      std::string(smallest) +
          "health: { witnesses: [example.org], webhooks: [{ url: \"ftp://x\" }] }\n"
          "sites:\n  - { name: ams, node: n, address: 192.0.2.1, url: \"https://192.0.2.1:1\" }\n",
      "n.yaml");
  ASSERT_TRUE(bad.has_error());
  EXPECT_THAT(base::text(bad.error()), HasSubstr("'example.org' is not address:port"));
  EXPECT_THAT(base::text(bad.error()), HasSubstr("'ftp://x' does not begin with"));
  EXPECT_THAT(base::text(bad.error()), HasSubstr("there is no certificate"));
}

TEST(Settings, CostsOfTheMeshAreAskedOfBirdForTheLoopbacksOfTheSites) {
  std::string const base(smallest);
  std::string const site = "sites:\n  - { name: ams, node: n, address: 192.0.2.1, loopback: ";
  auto const good = navigator::parse_settings(base + site + "10.200.0.1 }\nmesh: { bird: /run/bird.ctl }\n", "n.yaml");
  ASSERT_FALSE(good.has_error()) << base::text(good.error());
  EXPECT_EQ(good->mesh_bird, "/run/bird.ctl");
  EXPECT_EQ(good->sites.at(0).loopback, "10.200.0.1");
  auto const wrong = navigator::parse_settings(base + site + "ams-lo }\n", "n.yaml");
  ASSERT_TRUE(wrong.has_error());
  EXPECT_THAT(base::text(wrong.error()), HasSubstr("'ams-lo' is not an IP address"));
  auto const nothing = navigator::parse_settings(base + "mesh: { bird: /run/bird.ctl }\n", "n.yaml");
  ASSERT_TRUE(nothing.has_error());
  EXPECT_THAT(base::text(nothing.error()), HasSubstr("set sites[].loopback"));
}

TEST(Settings, TenantsHavePlansAndLookAfterThemselvesOverTlsAlone) {
  std::string const head = "store: { url: \"sqlite:///n.db\" }\nremote: { unix: /r.sock }\npowerdns: { control: [] }\n";
  std::string const tls = ", listen: \"0.0.0.0:18010\", tls: { certificate: c, key: k, ca: a }";
  auto const good = navigator::parse_settings(
      head + "api: { unix: /a.sock" + tls + " }\n" +
          "tenants:\n  self_service: true\n  overlap: 7d\n  challenge_zone: acme.example.org\n  resolver: 127.0.0.1\n"
          "  cluster_zone: edge.example.org\n  claims_per_day: 7\n  plans:\n    - { name: basic, domains: 1, clusters: "
          "[ams] }\n    - { "
          "name: gold }\n",
      "n.yaml");
  ASSERT_FALSE(good.has_error()) << base::text(good.error());
  EXPECT_EQ(good->tenants.overlap, std::chrono::hours(7 * 24));
  EXPECT_EQ(good->tenants.claims_per_day, 7U);
  EXPECT_EQ(good->tenants.plans.at(0).domains, 1U);
  EXPECT_EQ(good->tenants.plans.at(1).records, 100U);
  auto const wrong = navigator::parse_settings(head +
                                                   "api: { unix: /a.sock }\ntenants: { self_service: true, resolver: "
                                                   "dns.example, overlap: 91d, claims_per_day: -1,\n"
                                                   "  plans: [{ name: a }, { name: a }] }\n",
                                               "n.yaml");
  ASSERT_TRUE(wrong.has_error());
  std::string const text = base::text(wrong.error());
  EXPECT_THAT(text, HasSubstr("tokens need api.listen with api.tls"));
  EXPECT_THAT(text, HasSubstr("'dns.example' is not an IP address"));
  EXPECT_THAT(text, HasSubstr("'a' is named twice"));
  EXPECT_THAT(text, HasSubstr("overlap"));
  EXPECT_THAT(text, HasSubstr("claims_per_day"));
}

TEST(Settings, SignUpsAreOffUntilAskedForAndThenHoldTogether) {
  std::string const head =
      "store: { url: \"sqlite:///n.db\" }\nremote: { unix: /r.sock }\npowerdns: { control: [] }\n"
      "api: { unix: /a.sock, listen: \"0.0.0.0:18010\", tls: { certificate: c, key: k, ca: a } }\n";
  using Mode = navigator::SignUpSettings::Mode;
  auto const plain = navigator::parse_settings(head + "tenants: { self_service: true }\n", "n.yaml");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->tenants.sign_up.mode, Mode::off);
  std::string const plans =
      "  plans:\n    - { name: basic, backups: 1, clusters: [ams, fra] }\n    - { name: bare, tokens: 0 }\n";
  auto const good = navigator::parse_settings(head + "tenants:\n  self_service: true\n" + plans +
                                                  "  sign_up: { mode: invitation, plan: basic, clusters: [ams, fra], "
                                                  "zone: example.org, per_day: 100, per_hour: "
                                                  "3, burst: 5, token_expires: 90d }\n",
                                              "n.yaml");
  ASSERT_FALSE(good.has_error()) << base::text(good.error());
  EXPECT_EQ(good->tenants.sign_up.mode, Mode::invitation);
  EXPECT_EQ(good->tenants.sign_up.clusters.size(), 2U);
  EXPECT_EQ(good->tenants.sign_up.per_day, 100U);
  EXPECT_EQ(good->tenants.sign_up.token_expires, std::chrono::hours(90 * 24));
  auto const said = [&head, &plans](std::string const& sign_up, std::string const& more = "  self_service: true\n") {
    auto const parsed =
        navigator::parse_settings(head + "tenants:\n" + more + plans + "  sign_up: " + sign_up + "\n", "n.yaml");
    return parsed ? std::string() : base::text(parsed.error());
  };
  std::string const none = said("{ mode: open }", "");
  for (char const* const problem : {"the key 'plan' is missing", "a newcomer needs a cluster",
                                    "a newcomer needs a zone", "tenants.self_service: true"}) {
    EXPECT_THAT(none, HasSubstr(problem));
  }
  std::string const wrong =
      said("{ mode: open, plan: basic, clusters: [ams, nyc, ams], zone: example.org, per_hour: 0 }");
  for (char const* const problem : {"'ams' is named twice", "does not have the cluster 'nyc'",
                                    "has 1 backup clusters at most", "tenants.sign_up.per_hour"}) {
    EXPECT_THAT(wrong, HasSubstr(problem));
  }
  EXPECT_THAT(said("{ mode: open, plan: gold, clusters: [ams], zone: example.org }"), HasSubstr("no plan 'gold'"));
  EXPECT_THAT(said("{ mode: open, plan: bare, clusters: [ams], zone: example.org }"), HasSubstr("has no tokens"));
  EXPECT_THAT(said("{ mode: perhaps }"), HasSubstr("perhaps"));
}

}  // namespace
