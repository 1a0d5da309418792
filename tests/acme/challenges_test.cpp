// The further challenges, from the settings to the certificate, against a CA that offers them.
#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using protocol::ChallengeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class ChallengesTest : public CertificatesFixture {
 protected:
  void use(ChallengeKind kind) {
    settings.authorities[0].challenge = kind;
    ca->knobs.challenges = {"dns-01", name(kind)};
  }
  void delegate_proof(store::Domain const& domain, std::string const& label) {
    std::string const bare = domain.name.substr(0, domain.name.size() - 1);
    delegated = {{label + "." + bare, domain.slug + ".acme.stream.example"}};
  }
};

constexpr char const* standing_at = "_validation-persist.acme-tv.stream.example";

TEST_F(ChallengesTest, AnAccountsProofStandsAtItsOwnLabelAndGoesWithTheOrder) {
  use(ChallengeKind::dns_account01);
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(ca->counters.begun, ElementsAre(std::pair("dns-account-01", 2)));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_GE(site.questions(), 4) << "every site is asked for both values";
  std::string const at = status_of("acme-tv.stream.example").challenge_at;
  EXPECT_EQ(at, protocol::challenge_label(ChallengeKind::dns_account01, issuer->authorities()[0].account_url) +
                    ".acme-tv.stream.example");
  EXPECT_TRUE(until([&] { return txt(at).empty(); }));
}

TEST_F(ChallengesTest, ADomainDelegatesTheAccountsLabel) {
  use(ChallengeKind::dns_account01);
  start();
  add_tenant("acme-tv");
  issuer->poke();
  ASSERT_TRUE(issued(1));  // now the account is there, and what is to be delegated is known
  ASSERT_THAT(issuer->challenge_labels(), SizeIs(1));
  delegate_proof(add_domain("acme-tv", "www.customer.example"), issuer->challenge_labels()[0]);
  issuer->poke();
  EXPECT_TRUE(issued(2));
  // The label is known after a restart, too, before the CA is asked anything.
  auto const labels = issuer->challenge_labels();
  retire();
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(issuer->challenge_labels(), labels);
  EXPECT_EQ(ca->counters.orders, 2);
}

TEST_F(ChallengesTest, AStandingProofIsPlacedAndAwaitedOnceAndStays) {
  use(ChallengeKind::dns_persist01);
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  auto const values = txt(standing_at);
  EXPECT_THAT(values,
              ElementsAre("ca.example; accounturi=" + issuer->authorities()[0].account_url + "; policy=wildcard"));
  EXPECT_THAT(ca->counters.begun, ElementsAre(std::pair("dns-persist-01", 2)));
  int const questions = site.questions();
  EXPECT_EQ(questions, 2) << "one value, by UDP and TCP";
  store::Revision const revision = store->revision();
  issuer->order_now(status_of("acme-tv.stream.example").subject_id);
  ASSERT_TRUE(until([this] { return ca->counters.certificates == 2; }));
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(site.questions(), questions) << "nobody is asked again";
  EXPECT_EQ(store->revision(), revision) << "and nothing is written to the zone";
  EXPECT_EQ(txt(standing_at), values);
}

TEST_F(ChallengesTest, AStandingProofOfADomainIsForItsNameAloneAtTheDelegatedName) {
  use(ChallengeKind::dns_persist01);
  add_tenant("acme-tv");
  store::Domain const domain = add_domain("acme-tv", "www.customer.example");
  delegate_proof(domain, "_validation-persist");
  std::string const at = domain.slug + ".acme.stream.example";
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_THAT(txt(at), ElementsAre("ca.example; accounturi=" + issuer->authorities()[0].account_url));
  remove_domain("acme-tv", "www.customer.example");
  issuer->poke();
  EXPECT_TRUE(until([&] { return txt(at).empty(); })) << "it goes with the domain";
  EXPECT_THAT(txt(standing_at), SizeIs(1)) << "and the tenant's own stays";
}

TEST_F(ChallengesTest, AStandingProofGoesWithTheTenant) {
  use(ChallengeKind::dns_persist01);
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  ASSERT_THAT(txt(standing_at), SizeIs(1));
  run(store->delete_tenant(tenant.label)).value();
  issuer->poke();
  EXPECT_TRUE(until([this] { return txt(standing_at).empty(); }));
}

TEST_F(ChallengesTest, AStandingProofGoesWhenItsCaIsAskedAnotherWay) {
  use(ChallengeKind::dns_persist01);
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  retire();
  settings.authorities[0].challenge = ChallengeKind::dns01;
  start();
  EXPECT_TRUE(until([this] { return txt(standing_at).empty(); }));
  EXPECT_TRUE(issued(1));
}

TEST_F(ChallengesTest, ARefusedStandingProofIsAFailureAndStays) {
  use(ChallengeKind::dns_persist01);
  settings.first_retry = std::chrono::hours(1);
  ca->knobs.deny = true;
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !status_of("acme-tv.stream.example").last_error.empty(); }));
  EXPECT_THAT(status_of("acme-tv.stream.example").last_error, StartsWith("validation: "));
  EXPECT_THAT(txt(standing_at), SizeIs(1));
}

TEST_F(ChallengesTest, ACaThatDoesNotOfferTheChallengeIsOneErrorAndNoneIsBegun) {
  for (ChallengeKind const kind : {ChallengeKind::dns_account01, ChallengeKind::dns_persist01}) {
    settings.first_retry = std::chrono::hours(1);
    settings.authorities[0].challenge = kind;
    std::string const label = kind == ChallengeKind::dns_account01 ? "one" : "two";
    add_tenant(label);
    start();
    auto const error = [&] { return status_of(label + ".stream.example").last_error; };
    ASSERT_TRUE(until([&] { return !issuer->status().empty() && !error().empty(); }));
    EXPECT_THAT(error(), HasSubstr(std::string("the CA offers no ") + name(kind) + " challenge"));
    EXPECT_THAT(error(), HasSubstr("only: http-01, dns-01; set `challenge` of this CA to one that it offers"));
    EXPECT_EQ(ca->counters.challenges, 0);
    EXPECT_EQ(site.questions(), 0);
    retire();
  }
}

TEST_F(ChallengesTest, ARehearsalsStandingProofGoesWithTheTenantToo) {
  settings.staging = settings.authorities[0];
  settings.staging->challenge = ChallengeKind::dns_persist01;
  settings.staging->directory_url = ca->directory_url() + "?staging";
  ca->knobs.challenges = {"dns-01", "dns-persist-01"};
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  ASSERT_THAT(txt(standing_at), IsEmpty());
  auto const outcome = run(issuer->rehearse(status_of("acme-tv.stream.example").subject_id));
  ASSERT_TRUE(outcome) << outcome.error().what();
  EXPECT_EQ(outcome->detail, "");
  EXPECT_THAT(txt(standing_at), SizeIs(1));
  run(store->delete_tenant(tenant.label)).value();
  issuer->poke();
  EXPECT_TRUE(until([this] { return txt(standing_at).empty(); }));
}

}  // namespace
}  // namespace acme
