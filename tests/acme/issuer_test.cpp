#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using IssuerTest = CertificatesFixture;

TEST(WantedNames, AreApexAndWildcardAsALabels) {
  store::Tenant tenant;
  tenant.label = "acme-tv";
  tenant.zone = "Stream.Example.";
  EXPECT_THAT(wanted_names(tenant), ElementsAre("*.acme-tv.stream.example", "acme-tv.stream.example"));
  tenant.label = "no/name";
  EXPECT_THAT(wanted_names(tenant), IsEmpty());
}

TEST_F(IssuerTest, EveryTenantGetsACertificateForApexAndWildcard) {
  store::Tenant const tenant = add_tenant("acme-tv");
  add_tenant("two");
  start();
  ASSERT_TRUE(issued(2));
  auto const rows = certificates();
  ASSERT_EQ(rows.size(), 2U);
  auto const bundle = run(vault.unsealed_bundle(tenant.id)).value();
  EXPECT_THAT(bundle.row.names, ElementsAre("*.acme-tv.stream.example", "acme-tv.stream.example"));
  // The stored key is the certificate's.
  EXPECT_TRUE(crypto::check_issued(bundle.chain_pem, crypto::Key::from_pem(bundle.key_pem).value(), bundle.row.names,
                                   crypto::wall_now()));
  EXPECT_EQ(ca->counters.orders, 2);
  EXPECT_EQ(ca->counters.accounts, 1);
  EXPECT_EQ(ca->counters.bad_requests, 0);
}

TEST_F(IssuerTest, ChallengeValuesAndOrdersAreGoneAfterwards) {
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  ASSERT_TRUE(until([this] { return txt("_acme-challenge.acme-tv.stream.example").empty(); }));
  EXPECT_FALSE(run(vault.find_order(tenant.id))->has_value());
}

TEST_F(IssuerTest, ARestartOrdersNothingAgain) {
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  retire();
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(ca->counters.accounts, 1);
}

TEST_F(IssuerTest, ATenantThatComesLaterIsServedWhenPoked) {
  start();
  ASSERT_TRUE(issued(0));
  add_tenant("late");
  issuer->poke();
  EXPECT_TRUE(issued(1));
}

TEST_F(IssuerTest, BadNoncesCostNothingButARequest) {
  ca->knobs.bad_nonces = 5;
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(ca->counters.bad_requests, 5);
}

TEST_F(IssuerTest, LostAnswersLeadToNoSecondOrder) {
  ca->knobs.lose = {{"authz", 1}, {"challenge", 1}, {"finalize", 1}, {"cert", 1}};
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(ca->counters.challenges, 2);
  EXPECT_EQ(ca->counters.finalizes, 1);
}

TEST_F(IssuerTest, AnOrderInterruptedAfterFinalizeContinuesAfterARestart) {
  ca->knobs.lose["cert"] = 3;  // one more than a run tolerates
  settings.first_retry = std::chrono::hours(1);
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && issuer->status()[0].state == "failed"; }));
  ASSERT_TRUE(run(vault.find_order(tenant.id))->has_value());
  retire();
  ASSERT_TRUE(run(vault.save_attempt({tenant.id, 1, crypto::wall_now(), "earlier"})));
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(ca->counters.finalizes, 1);
}

TEST_F(IssuerTest, ASlowCaIsPolled) {
  ca->knobs.processing = 5;
  add_tenant("acme-tv");
  start();
  EXPECT_TRUE(issued(1));
}

TEST_F(IssuerTest, ASiteThatIsBehindDefersTheOrderAndIsNotAskedTooEarly) {
  lag = true;
  settings.gate.deadline = std::chrono::milliseconds(30);
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] {
    return !issuer->status().empty() && issuer->status()[0].last_error.find("deferred") != std::string::npos;
  }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("ams has revision"));
  EXPECT_EQ(site.questions(), 0);
  EXPECT_EQ(ca->counters.challenges, 0);
  lag = false;
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_GE(site.questions(), 4);  // two values, UDP and TCP
  EXPECT_TRUE(run(vault.attempts())->empty());
}

TEST_F(IssuerTest, WithoutASiteInServiceNothingIsAskedOfTheCa) {
  settings.gate.deadline = std::chrono::milliseconds(20);
  add_tenant("acme-tv");
  issuer = std::make_unique<Issuer>(loop.get_executor(), *store, vault, metrics, settings, [] {
    return std::vector<Site>{{"ams", "127.0.0.1", 1, false, 1000}};
  });
  net::spawn(loop.get_executor(), "issuer", issuer->run());
  ASSERT_TRUE(until([this] {
    return !issuer->status().empty() &&
           issuer->status()[0].last_error.find("no site is in service") != std::string::npos;
  }));
  EXPECT_EQ(ca->counters.challenges, 0);
}

TEST_F(IssuerTest, AFailedValidationIsExplainedAndTriedAgain) {
  ca->knobs.deny = true;
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && !issuer->status()[0].last_error.empty(); }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("no such TXT value"));
  EXPECT_GE(ca->counters.deactivations, 2);
  ca->knobs.deny = false;
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(issuer->status()[0].last_error, IsEmpty());
}

TEST_F(IssuerTest, ARateLimitParksTheTenant) {
  ca->knobs.rate_limited = 1;
  add_tenant("acme-tv");
  start();
  auto const before = crypto::to_ms(crypto::wall_now());
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && issuer->status()[0].state == "failed"; }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("rateLimited"));
  EXPECT_GE(issuer->status()[0].next_attempt_ms, before + 119000);
  EXPECT_EQ(ca->counters.orders, 0);
}

TEST_F(IssuerTest, ACaThatForgotTheAccountGetsANewRegistration) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  ca->forget_everything();
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.accounts, 2);
}

TEST_F(IssuerTest, AnExternalAccountIsBoundOnce) {
  ca->knobs.eab_kid = "kid-1";
  ca->knobs.eab_key = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
  settings.external = crypto::ExternalAccount{"kid-1", "c2VjcmV0LXNlY3JldC1zZWNyZXQ"};
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.bindings, 1);
}

TEST_F(IssuerTest, AMissingExternalAccountIsSaidInWords) {
  ca->knobs.eab_kid = "kid-1";
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && !issuer->status()[0].last_error.empty(); }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("external account"));
}

TEST_F(IssuerTest, ADueCertificateIsRenewedWithAnotherKey) {
  settings.renew_fraction = 1e-9;  // due at once
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return ca->counters.certificates >= 3; }));  // the third order starts when the second is stored
  issuer->stop();
  auto const rows = certificates();
  ASSERT_GE(rows.size(), 2U);
  EXPECT_NE(rows[0].fingerprint, rows[1].fingerprint);
  EXPECT_LT(rows[0].sequence, rows[1].sequence);
}

TEST_F(IssuerTest, ADeletedTenantLeavesNoKeyBehind) {
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  run(store->delete_tenant("acme-tv")).value();
  issuer->poke();
  ASSERT_TRUE(until([this] { return issuer->status().empty(); }));
  EXPECT_TRUE(until([this] { return certificates().empty(); }));
}

TEST_F(IssuerTest, ACaThatIsAwayIsAskedAgain) {
  std::string const url = settings.directory_url;
  settings.directory_url = "http://127.0.0.1:1/dir";
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && issuer->status()[0].state == "failed"; }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("transient"));
}

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

}  // namespace
}  // namespace acme
