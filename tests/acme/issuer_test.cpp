#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using IssuerTest = CertificatesFixture;

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
  EXPECT_FALSE(run(vault.find_order(tenant.id, ca->directory_url()))->has_value());
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
  ASSERT_TRUE(run(vault.find_order(tenant.id, ca->directory_url()))->has_value());
  retire();
  ASSERT_TRUE(run(vault.save_attempt({tenant.id, ca->directory_url(), 1, crypto::wall_now(), "earlier"})));
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
  settings.authorities[0].external = crypto::ExternalAccount{"kid-1", "c2VjcmV0LXNlY3JldC1zZWNyZXQ"};
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
  ASSERT_TRUE(
      until([this] { return ca->counters.certificates >= 3; }));  // the third order starts when the second is stored
  issuer->stop();
  auto const rows = certificates();
  ASSERT_GE(rows.size(), 2U);
  EXPECT_NE(rows[0].fingerprint, rows[1].fingerprint);
  EXPECT_LT(rows[0].sequence, rows[1].sequence);
}

TEST_F(IssuerTest, ARenewalFollowsTheAuthoritysWindowAndNamesWhatItReplaces) {
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  auto const first = certificates().back();
  EXPECT_EQ(first.directory_url, ca->directory_url());
  EXPECT_EQ(issuer->status()[0].renew_why, "lifetime");
  EXPECT_EQ(ca->counters.renewal_infos, 0) << "the directory offers none";
  retire();
  // The CA wants it replaced: the window is over already.
  auto const now = crypto::wall_now();
  ca->knobs.window = std::pair(now - std::chrono::hours(2), now - std::chrono::hours(1));
  start();
  ASSERT_TRUE(until([this] { return ca->counters.renewal_infos >= 1; }));
  // Long before the certificate that this leads to can be asked about.
  ca->knobs.window = std::pair(now + std::chrono::hours(700), now + std::chrono::hours(710));
  ASSERT_TRUE(until([this, &first] { return certificates().back().sequence > first.sequence; }));
  ASSERT_TRUE(until([this] {
    auto const status = issuer->status()[0];
    return status.fingerprint == certificates().back().fingerprint && status.renew_why.starts_with("suggested");
  }));
  EXPECT_THAT(ca->counters.replaces, ElementsAre(first.ari_id));
  EXPECT_THAT(issuer->status()[0].renew_why, HasSubstr("https://ca.example/why"));
  EXPECT_GE(issuer->status()[0].renew_at_ms, crypto::to_ms(now + std::chrono::hours(700)) - 1000);
}

TEST_F(IssuerTest, ASuggestionIsRememberedAndNotAskedForAgainBeforeItsTime) {
  auto const now = crypto::wall_now();
  ca->knobs.window = std::pair(now + std::chrono::hours(700), now + std::chrono::hours(900));
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !run(vault.suggestions())->empty(); }));
  auto const before = issuer->status()[0].renew_at_ms;
  retire();
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(issuer->status()[0].renew_at_ms, before) << "a restart draws no other moment";
  EXPECT_EQ(ca->counters.renewal_infos, 1);
}

TEST_F(IssuerTest, AnOrderWhoseReplacesIsRefusedIsPlacedWithout) {
  for (std::string const& type : {std::string("alreadyReplaced"), std::string("conflict"), std::string("malformed")}) {
    SCOPED_TRACE(type);
    store::Tenant const tenant = add_tenant("tenant-" + std::to_string(type.size()));
    auto const now = crypto::wall_now();
    ca->knobs.window.reset();  // else a suggestion is stored that holds after the restart
    start();
    auto const of_tenant = [&] {
      auto const rows = certificates();
      return std::ranges::count(rows, tenant.id, &vault::CertificateRow::tenant_id);
    };
    ASSERT_TRUE(until([&] { return of_tenant() == 1; }));
    retire();
    ca->knobs.refuse_replaces = type;
    settings.renew_fraction = 1e-9;
    ca->knobs.window.reset();
    ca->knobs.window = std::pair(now - std::chrono::hours(2), now - std::chrono::hours(1));
    start();
    ASSERT_TRUE(until([&] { return of_tenant() >= 2; }));
    retire();
    settings.renew_fraction = 0;
    EXPECT_THAT(ca->counters.replaces, IsEmpty());
  }
}

TEST_F(IssuerTest, AProfileIsOrderedWhereItIsOfferedAndLeftOutWhereItIsRefused) {
  settings.authorities[0].profile = "shortlived";
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(ca->counters.profiles, IsEmpty()) << "not offered, so not asked for";
  retire();
  ca->knobs.profiles = {"classic", "shortlived"};
  add_tenant("two");
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_THAT(ca->counters.profiles, ElementsAre("shortlived"));
  ca->knobs.refuse_profiles = true;
  add_tenant("three");
  issuer->poke();
  ASSERT_TRUE(issued(3));
  EXPECT_THAT(ca->counters.profiles, ElementsAre("shortlived"));
}

TEST_F(IssuerTest, CertificatesHaveTheKindOfKeyThatIsWanted) {
  for (crypto::KeyType const type : {crypto::KeyType::p384, crypto::KeyType::rsa2048}) {
    settings.authorities[0].key_type = type;
    store::Tenant const tenant = add_tenant(crypto::name(type));
    start();
    ASSERT_TRUE(issued(type == crypto::KeyType::p384 ? 1 : 2));
    auto const bundle = run(vault.unsealed_bundle(tenant.id));
    EXPECT_EQ(crypto::Key::certificate_key_from_pem(bundle->key_pem)->type(), type);
    retire();
  }
}

TEST_F(IssuerTest, ThePreferredChainIsStored) {
  settings.authorities[0].preferred_issuer = "Other Root";
  store::Tenant const without = add_tenant("without");
  start();
  ASSERT_TRUE(issued(1));
  auto const issuer_of = [this](std::int64_t tenant) {
    return crypto::read_chain(run(vault.unsealed_bundle(tenant))->chain_pem)->top_issuer;
  };
  EXPECT_EQ(issuer_of(without.id), "Test CA") << "no such chain is offered";
  ca->knobs.alternate = true;
  store::Tenant const with = add_tenant("with");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(issuer_of(with.id), "Other Root");
}

TEST_F(IssuerTest, AnotherAuthorityIsAskedWhenTheFirstRefusesOrIsAway) {
  test::ScriptedAcme second(loop.get_executor(), [this](std::string name, std::string value) {
    auto const values = txt(name);
    return std::ranges::find(values, value) != values.end();
  });
  settings.authorities.emplace_back();
  settings.authorities[1].directory_url = second.directory_url();
  ca->knobs.rate_limited = 1;
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(certificates().back().directory_url, second.directory_url());
  EXPECT_EQ(ca->counters.orders, 0);
  EXPECT_EQ(second.counters.orders, 1);
  // The limit was one name's: the next name begins at the first CA again.
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(certificates().back().directory_url, ca->directory_url());
  // A CA that is away costs one attempt each, and rests after three that began one after the other.
  ca->stop();
  std::size_t so_far = 2;
  for (char const* label : {"three", "four", "five", "six"}) {
    add_tenant(label);
    issuer->poke();
    ASSERT_TRUE(issued(++so_far));
  }
  EXPECT_EQ(second.counters.orders, 5);
  EXPECT_GT(issuer->authorities()[0].resting_until_ms, 0);
  EXPECT_THAT(issuer->authorities()[0].last_error, Not(IsEmpty()));
  EXPECT_EQ(issuer->authorities()[1].resting_until_ms, 0);
  second.stop();
}

TEST_F(IssuerTest, ACaWhoseAccountsKeyIsDamagedLeavesEverythingElseAsItWas) {
  test::ScriptedAcme second(loop.get_executor(), [this](std::string name, std::string value) {
    auto const values = txt(name);
    return std::ranges::find(values, value) != values.end();
  });
  settings.authorities.emplace_back();
  settings.authorities[1].directory_url = second.directory_url();
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  retire();
  write([this](store::Write const& transaction) -> base::Result<void> {
    auto const damaged = transaction.transaction.execute(
        "UPDATE acme_account SET sealed_key = zeroblob(300) WHERE directory_url = ?", {ca->directory_url()});
    return damaged ? base::Result<void>() : base::Result<void>(damaged.error());
  });
  // And a rehearsal ended with the process.
  std::string const left = "_acme-challenge.one.stream.example";
  std::vector<std::pair<dns::Name, std::string>> values{{dns::Name::parse(left).value(), "left"}};
  ASSERT_TRUE(run(store->add_challenges(std::move(values), "acme/1/1/rehearsal/now")));
  int const accounts = ca->counters.accounts;
  add_tenant("two");
  start();
  ASSERT_TRUE(issued(2)) << "the one that was there, and one of the other CA";
  EXPECT_EQ(certificates().back().directory_url, second.directory_url());
  EXPECT_EQ(issuer->authorities()[0].state, "blocked");
  EXPECT_THAT(issuer->authorities()[0].last_error, HasSubstr(ca->directory_url()));
  EXPECT_EQ(ca->counters.accounts, accounts);
  EXPECT_THAT(txt(left), IsEmpty());
  second.stop();
}

TEST_F(IssuerTest, AnAuthorityThatCaaForbidsIsNotAsked) {
  auto const apex = dns::Name::parse("stream.example").value();
  auto const set_caa = [&](std::string const& permitted, int serial) {
    auto const rows = dns::parse_zone_file("@ 3600 IN SOA ns1 hostmaster " + std::to_string(serial) +
                                               " 3600 600 86400 60\n@ 3600 IN NS ns1\nns1 3600 IN A 192.0.2.1\n"
                                               "@ 3600 IN CAA 0 issue \"" +
                                               permitted + "\"\n",
                                           "test", apex);
    run(store->import_zone(apex, *rows)).value();
  };
  ca->knobs.caa_identity = "ca.example";
  set_caa("nobody.example", 2);
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && !issuer->status()[0].last_error.empty(); }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("the CAA RRset at 'stream.example' permits other"));
  EXPECT_EQ(ca->counters.orders, 0);
  set_caa("ca.example; validationmethods=dns-01", 3);
  issuer->poke();
  EXPECT_TRUE(issued(1));
}

// Five Navigators on one store: as many orders as tenants, and another one takes over when the first is gone.
TEST_F(IssuerTest, OfSeveralNavigatorsOneIssues) {
  constexpr int tenants = 40;
  for (int i = 0; i < tenants; ++i) {
    add_tenant("t" + std::to_string(i));
  }
  settings.lease = std::chrono::milliseconds(2000);  // a busy machine must be able to keep it
  std::vector<std::unique_ptr<vault::Vault>> vaults;
  std::vector<std::unique_ptr<Issuer>> all;
  for (int i = 0; i < 5; ++i) {
    vaults.push_back(std::make_unique<vault::Vault>(store->thread()));
    ASSERT_TRUE(run(vaults.back()->open({folder.file("master.key")})));
    settings.holder = "site-" + std::to_string(i);
    all.push_back(std::make_unique<Issuer>(loop.get_executor(), *store, *vaults.back(), metrics, settings,
                                           [this] { return sites(); }));
    net::spawn(loop.get_executor(), "issuer", all.back()->run());
  }
  auto const leading = [&all] {
    return std::ranges::count_if(all, [](auto const& one) { return one->issuer_status().leads; });
  };
  ASSERT_TRUE(until([&] { return certificates().size() == tenants; }));
  EXPECT_EQ(ca->counters.orders, tenants);
  EXPECT_EQ(ca->counters.accounts, 1);
  EXPECT_EQ(leading(), 1);
  auto const first = std::ranges::find_if(all, [](auto const& one) { return one->issuer_status().leads; });
  (*first)->stop();
  add_tenant("late");
  ASSERT_TRUE(until([&] {
    std::ranges::for_each(all, [](auto const& one) { one->poke(); });
    return certificates().size() == tenants + 1;
  }));
  EXPECT_EQ(ca->counters.orders, tenants + 1);
  for (auto& one : all) {
    one->stop();
    retired.push_back(std::move(one));
  }
  ASSERT_TRUE(
      until([this] { return run(vault.hold_lease("test", std::chrono::seconds(1), crypto::wall_now()))->mine; }));
  store->close();  // before the vaults: what is queued ends here
}

TEST_F(IssuerTest, ARevokedCertificateIsReplacedAtOnce) {
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  auto const first = certificates().back();
  ca->knobs.lose["revoke"] = 1;  // done, and answered with an error: it is told again
  ASSERT_TRUE(run(issuer->revoke(*issuer->find("acme-tv.stream.example."), 4)));
  ASSERT_TRUE(until([&] { return certificates().back().sequence > first.sequence; }));
  EXPECT_EQ(ca->counters.revocations.size(), 1U);
  EXPECT_EQ(ca->counters.revocations.front(), 4);
  ASSERT_TRUE(until([&] {
    issuer->poke();
    return certificates().front().revoked_at != crypto::Time{};
  }));
  EXPECT_FALSE(issuer->status()[0].revoked);
  EXPECT_EQ(run(issuer->revoke(tenant.id + 1, 0)).error().code, vault::errc::not_found);
}

TEST_F(IssuerTest, ChangedTermsStopTheAuthorityUntilSomebodyAgrees) {
  ca->knobs.new_terms = true;
  add_tenant("one");
  start();
  ASSERT_TRUE(until([this] { return issuer->authorities()[0].state == "blocked"; }));
  EXPECT_EQ(issuer->authorities()[0].action_required, "https://ca.example/agree");
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(until([this] { return issuer->status().size() == 2; }));
  int const before = ca->counters.bad_requests;
  ASSERT_TRUE(run(issuer->agree_to_terms("")));
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.agreements, 1);
  EXPECT_LE(before, 3) << "a blocked authority is not asked";
  EXPECT_EQ(issuer->authorities()[0].state, "asked");
  EXPECT_THAT(issuer->authorities()[0].action_required, IsEmpty());
}

TEST_F(IssuerTest, TheAccountsKeyIsChangedWhileOrdersGoOn) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  ASSERT_TRUE(run(issuer->change_account_key("")));
  EXPECT_EQ(ca->counters.key_changes, 1);
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.accounts, 1);
  EXPECT_EQ(run(issuer->change_account_key("https://nobody.example/dir")).error().code, vault::errc::not_found);
}

TEST_F(IssuerTest, AKnownLimitIsNotRunInto) {
  ca->knobs.limits.orders = {3, std::chrono::minutes(1)};
  settings.authorities[0].limits.orders = {3, std::chrono::minutes(10)};
  for (int i = 0; i < 6; ++i) {
    add_tenant("t" + std::to_string(i));
  }
  start();
  ASSERT_TRUE(issued(3));
  EXPECT_EQ(ca->counters.limited, 0);
  auto const explained = run(issuer->explain(*issuer->find("t5"))).value();
  ASSERT_FALSE(explained.hindrances.empty());
  EXPECT_EQ(explained.hindrances[0].second.what, "limit: orders");
  EXPECT_EQ(explained.hindrances[0].first, ca->directory_url());
  // A restart knows it as well.
  retire();
  start();
  ASSERT_TRUE(until([this] { return issuer->issuer_status().leads && issuer->status().size() == 6; }));
  EXPECT_EQ(ca->counters.limited, 0);
  EXPECT_EQ(ca->counters.orders, 3);
  EXPECT_EQ(run(issuer->explain(*issuer->find("t0")))->events.at(0).outcome, "issued");
}

TEST_F(IssuerTest, AnAlarmIsRaisedWhenAFifthOfTheLifeIsLeft) {
  ca->knobs.lifetime = std::chrono::seconds(3);
  settings.renew_fraction = 0.9;
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_FALSE(issuer->status()[0].alarm);
  ca->knobs.deny = true;
  ASSERT_TRUE(until([this] { return issuer->issuer_status().alarms == 1; }));
  EXPECT_TRUE(issuer->status()[0].alarm);
  ca->knobs.deny = false;
  ca->knobs.lifetime = std::chrono::hours(1000);
  ASSERT_TRUE(until([this] { return issuer->issuer_status().alarms == 0; }));
}

TEST_F(IssuerTest, ATenantThatIsRenamedOrReturnsIsFollowedByTheLogOfChanges) {
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(issuer->find("ACME-TV.stream.example"), tenant.id);
  EXPECT_EQ(issuer->find("nobody"), std::nullopt);
  run(store->delete_tenant("acme-tv")).value();
  add_tenant("other");
  issuer->poke();
  ASSERT_TRUE(until([this] { return issuer->status().size() == 1 && issuer->status()[0].tenant == "other"; }));
  EXPECT_EQ(issuer->find("acme-tv"), std::nullopt);
  EXPECT_TRUE(issued(1));
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

TEST_F(IssuerTest, KeysOfANameThatIsGoneStayUntilEverySiteHasHeardAlsoAfterARestart) {
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  stuck = store->revision();
  run(store->delete_tenant("acme-tv")).value();
  issuer->poke();
  ASSERT_TRUE(until([this] { return issuer->status().empty(); }));
  EXPECT_EQ(certificates().size(), 1U) << "a site may still answer the name";
  retire();
  start();              // all it knows is in the store
  add_tenant("other");  // once it is known, there was a round
  issuer->poke();
  ASSERT_TRUE(until([this] { return !issuer->status().empty(); }));
  EXPECT_EQ(certificates().size(), 1U);
  stuck.reset();
  issuer->poke_gate();
  EXPECT_TRUE(until([this] {
    return std::ranges::none_of(certificates(),
                                [](auto const& one) { return one.subject == "acme-tv.stream.example"; });
  }));
}

TEST_F(IssuerTest, WhoListensHearsWhoseCertificateChanged) {
  auto const tenant = add_tenant("acme-tv");
  start();
  std::vector<std::int64_t> heard;
  issuer->on_change([&heard](std::int64_t tenant_id) { heard.push_back(tenant_id); });
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(heard, testing::ElementsAre(tenant.id));
  ASSERT_TRUE(run(issuer->revoke(issuer->status().front().subject_id, 1)));
  EXPECT_EQ(heard.size(), 2U);
}

TEST_F(IssuerTest, ACaThatIsAwayIsAskedAgain) {
  settings.authorities[0].directory_url = "http://127.0.0.1:1/dir";
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && issuer->status()[0].state == "failed"; }));
  EXPECT_THAT(issuer->status()[0].last_error, HasSubstr("transient"));
}

}  // namespace
}  // namespace acme
