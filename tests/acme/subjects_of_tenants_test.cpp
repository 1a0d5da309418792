// Certificates of what tenants have beside their own name: domains and former labels.
#include "tests/acme/certificates_fixture.hpp"
#include "tests/support/made_certificate.hpp"

#include <boost/json.hpp>

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SubjectsTest : public CertificatesFixture {
 protected:
  SubjectsTest() {
    settings.look = [this](std::int64_t, std::string name, std::string label) {
      ++looks[name];
      looked_for.push_back(std::move(label));
      return seen(sights[name]);
    };
    settings.caa_look = [this](std::int64_t tenant_id, std::string name) {
      asked_for_caa.emplace_back(tenant_id, name);
      if (caa_fails) {
        return found(base::fail(boost::system::errc::host_unreachable, "nobody answers"));
      }
      return found(caa.contains(name) ? base::Result<CaaFound>(caa[name]) : base::Result<CaaFound>(CaaFound()));
    };
  }
  static net::Task<base::Result<Sight>> seen(Sight sight) { co_return sight; }
  static net::Task<base::Result<CaaFound>> found(base::Result<CaaFound> result) { co_return result; }

  std::map<std::string, Sight> sights;
  std::map<std::string, int> looks;
  std::vector<std::string> looked_for;  // labels
  std::map<std::string, CaaFound> caa;  // what zones elsewhere say, by the name that is asked for
  std::vector<std::pair<std::int64_t, std::string>> asked_for_caa;
  bool caa_fails = false;
};

TEST_F(SubjectsTest, ADomainGetsACertificateOfItsOwnThroughItsDelegatedName) {
  store::Tenant const tenant = add_tenant("acme-tv");
  store::Domain const domain = add_domain("acme-tv", "www.customer.example");
  start();
  ASSERT_TRUE(issued(2));
  SubjectStatus const status = status_of("www.customer.example");
  EXPECT_THAT(status.names, ElementsAre("www.customer.example"));
  EXPECT_EQ(status.kind, "domain");
  EXPECT_EQ(status.tenant_id, tenant.id);
  EXPECT_EQ(looks["www.customer.example"], 1) << "right before the order";
  EXPECT_EQ(looks.count("acme-tv.stream.example"), 0U);
  ASSERT_TRUE(until([&] { return txt(domain.slug + ".acme.stream.example").empty(); }));
  EXPECT_EQ(issuer->find("www.customer.example."), status.subject_id);
  EXPECT_NE(issuer->find("acme-tv"), status.subject_id);
}

TEST_F(SubjectsTest, TheStatusOfATenantIsWhatThatOfAllSaysOfHim) {
  auto const first = add_tenant("first");
  auto const second = add_tenant("second");
  add_domain("first", "www.customer.example");
  start();
  ASSERT_TRUE(issued(3));
  auto const of = [](std::vector<SubjectStatus> const& list, std::int64_t tenant_id) {
    std::vector<std::string> out;
    for (SubjectStatus const& one : list) {
      if (one.tenant_id == tenant_id) {
        out.push_back(boost::json::serialize(json_of(one)));
      }
    }
    std::ranges::sort(out);
    return out;
  };
  for (std::int64_t const id : {first.id, second.id}) {
    auto const own = issuer->status_of(id);
    EXPECT_EQ(own.size(), id == first.id ? 2U : 1U);
    EXPECT_EQ(of(own, id), of(issuer->status(), id));
  }
  EXPECT_THAT(issuer->status_of(second.id + 1), IsEmpty());
}

// What a look at some tenants finds is what a look at all finds of them, also when a domain changed hands.
TEST_F(SubjectsTest, WhatSomeTenantsWantIsWhatAllWantOfThem) {
  auto const first = add_tenant("first");
  auto const second = add_tenant("second");
  add_domain("first", "www.customer.example");
  add_domain("first", "shop.customer.example");
  add_domain("second", "www.other.example");
  auto const wanted = [this](std::set<std::int64_t> tenants) {
    std::function<base::Result<std::vector<Wanted>>(store::Model const&, database::Database&)> const look =
        [tenants](store::Model const& model, database::Database&) -> base::Result<std::vector<Wanted>> {
      return domains::wanted_certificates(model, "acme.stream.example", tenants.empty() ? nullptr : &tenants);
    };
    std::vector<std::string> names;
    for (Wanted const& one : run(store->read<std::vector<Wanted>>(look)).value()) {
      names.push_back(one.tenant + " " + one.name);
    }
    return names;
  };
  EXPECT_THAT(wanted({first.id}), testing::ElementsAre("first first.stream.example", "first shop.customer.example",
                                                       "first www.customer.example"));
  remove_domain("first", "www.customer.example");
  add_domain("second", "www.customer.example");
  EXPECT_THAT(wanted({second.id}), testing::ElementsAre("second second.stream.example", "second www.customer.example",
                                                        "second www.other.example"));
  auto both = wanted({first.id, second.id});
  EXPECT_EQ(both, wanted({}));
  EXPECT_EQ(both.size(), 5U);
}

TEST_F(SubjectsTest, AFailingLookDefersItsOwnOrderAloneAndSaysWhy) {
  settings.authorities[0].limits.orders = {3, std::chrono::hours(1)};
  add_tenant("acme-tv");
  store::Domain const broken = add_domain("acme-tv", "broken.customer.example");
  add_domain("acme-tv", "www.customer.example");
  sights["broken.customer.example"].objection = "challenge_missing: there is no CNAME";
  start();
  ASSERT_TRUE(issued(2));
  ASSERT_TRUE(until([&] { return !status_of("broken.customer.example").last_error.empty(); }));
  EXPECT_EQ(status_of("broken.customer.example").last_error, "deferred: challenge_missing: there is no CNAME");
  EXPECT_EQ(status_of("www.customer.example").state, "valid");
  EXPECT_EQ(ca->counters.orders, 2);
  auto const explained = run(issuer->explain(*issuer->find("broken.customer.example"))).value();
  EXPECT_THAT(explained.events.front().detail, HasSubstr("there is no CNAME"));
  EXPECT_EQ(looks["broken.customer.example"], 1) << "its owner must act, so it is not asked in a loop";
  // It leads here again: the watch says so, and nobody waits for the pause. The account had three orders, and the one
  // that was not placed took none of them.
  settle(broken.id, "challenge_missing", 2);
  issuer->poke();
  sights.clear();
  ASSERT_TRUE(until([&] { return status_of("broken.customer.example").failing; }));
  settle(broken.id, "ok", 3);
  issuer->poke();
  EXPECT_TRUE(issued(3));
}

TEST_F(SubjectsTest, CaaOfACustomerIsHeldAgainstTheAuthority) {
  ca->knobs.caa_identity = "ca.example";
  add_tenant("acme-tv");
  add_domain("acme-tv", "www.customer.example");
  caa["www.customer.example"]["customer.example"] = {"0 issue \"other.example\""};
  start();
  ASSERT_TRUE(until([&] { return !status_of("www.customer.example").last_error.empty(); }));
  EXPECT_THAT(status_of("www.customer.example").last_error, HasSubstr("CAA RRset at 'customer.example'"));
  EXPECT_TRUE(issued(1));
}

// The platform's zone hangs below one that is elsewhere: what that one says governs, unless ours say something.
TEST_F(SubjectsTest, CaaAboveOurOwnZonesIsHeldAgainstTheAuthority) {
  ca->knobs.caa_identity = "ca.example";
  add_tenant("acme-tv");
  caa["example"]["example"] = {"0 issue \"other.example\""};
  start();
  ASSERT_TRUE(until([&] { return !status_of("acme-tv.stream.example").last_error.empty(); }));
  EXPECT_THAT(status_of("acme-tv.stream.example").last_error, HasSubstr("CAA RRset at 'example'"));
  EXPECT_THAT(asked_for_caa, testing::Contains(std::pair<std::int64_t, std::string>(0, "example")));
  EXPECT_EQ(ca->counters.orders, 0);
  caa.clear();
  issuer->order_now(*issuer->find("acme-tv"));
  EXPECT_TRUE(issued(1));
}

TEST_F(SubjectsTest, NobodyAboveOurOwnZonesHoldsUpAnOrderByGivingNoAnswer) {
  ca->knobs.caa_identity = "ca.example";
  add_tenant("acme-tv");
  caa_fails = true;
  start();
  EXPECT_TRUE(issued(1));
  EXPECT_THAT(asked_for_caa, testing::Contains(std::pair<std::int64_t, std::string>(0, "example")));
}

TEST_F(SubjectsTest, AFailingDomainKeepsItsCertificateAndARemovedOneLeavesNoKey) {
  add_tenant("acme-tv");
  store::Domain const domain = add_domain("acme-tv", "www.customer.example");
  start();
  ASSERT_TRUE(issued(2));
  settle(domain.id, "cname_elsewhere", 5);
  issuer->poke();
  add_tenant("other");
  issuer->poke();
  ASSERT_TRUE(issued(3)) << "the failing one among them";
  remove_domain("acme-tv", "www.customer.example");
  issuer->poke();
  ASSERT_TRUE(until([&] { return certificates().size() == 2; }));
  EXPECT_THAT(run(vault.subjects()).value(), testing::SizeIs(2));
}

TEST_F(SubjectsTest, AFormerLabelIsRenewedWhileItIsAnsweredAndLeavesWithIt) {
  store::Tenant const tenant = add_tenant("acme-tv");
  start();
  ASSERT_TRUE(issued(1));
  auto const before = status_of("acme-tv.stream.example");
  tenants::TenantChange rename;
  rename.label = "acme-video";
  rename.overlap_ms = 3600000;
  change_tenant("acme-tv", rename);
  issuer->poke();
  ASSERT_TRUE(issued(2));
  auto const former = status_of("acme-tv.stream.example");
  EXPECT_EQ(former.kind, "former");
  EXPECT_EQ(former.subject_id, before.subject_id) << "a rename moves no certificate";
  EXPECT_EQ(former.fingerprint, before.fingerprint);
  EXPECT_EQ(status_of("acme-video.stream.example").kind, "own");
  EXPECT_EQ(issuer->find("acme-tv"), before.subject_id);
  issuer->order_now(before.subject_id);
  ASSERT_TRUE(until([&] {
    auto const now = status_of("acme-tv.stream.example");
    return now.state == "valid" && now.fingerprint != before.fingerprint;
  }));
  write([&](store::Write const& transaction) -> base::Result<void> {
    if (auto const gone = transaction.run("DELETE FROM former_label WHERE label = 'acme-tv'", {}); !gone) {
      return gone;
    }
    return tenants::touch(transaction, tenant.id);
  });
  issuer->poke();
  ASSERT_TRUE(until([&] { return issuer->status().size() == 1 && certificates().size() == 1; }));
  EXPECT_EQ(certificates().front().subject, "acme-video.stream.example");
}

TEST_F(SubjectsTest, ASuspendedTenantKeepsItsCertificatesAndOrdersNothing) {
  add_tenant("acme-tv");
  add_domain("acme-tv", "www.customer.example");
  start();
  ASSERT_TRUE(issued(2));
  tenants::TenantChange change;
  change.state = "suspended";
  change_tenant("acme-tv", change);
  issuer->poke();
  ASSERT_TRUE(until([&] { return issuer->status().empty(); }));
  EXPECT_THAT(certificates(), testing::SizeIs(2));
  change.state = "active";
  change_tenant("acme-tv", change);
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.orders, 2);
}

class UploadTest : public SubjectsTest {
 protected:
  UploadTest() {
    tenant = add_tenant("acme-tv");
    add_domain("acme-tv", "www.customer.example");
  }
  base::Problems bring(test::MadeCertificate const& leaf, bool fallback = true) {
    return run(issuer->take_upload(tenant.id, "www.customer.example", {chain.pem(leaf), leaf.key.pem()}, fallback))
        .value();
  }
  test::MadeCertificate leaf(long to_s = 90L * 24 * 3600, long from_s = -3600) {
    return chain.leaf({.names = {"www.customer.example"}, .from_s = from_s, .to_s = to_s});
  }

  test::MadeChain chain;
  store::Tenant tenant;
};

TEST_F(UploadTest, WhatATenantBringsIsServedAndSealedUntilItIsRemoved) {
  start();
  ASSERT_TRUE(issued(2));
  std::string const before = status_of("www.customer.example").fingerprint;
  auto const brought = leaf();
  EXPECT_TRUE(bring(brought).empty());
  SubjectStatus const status = status_of("www.customer.example");
  EXPECT_EQ(status.source, "upload");
  EXPECT_EQ(status.state, "valid");
  auto const bundle = run(vault.unsealed_bundle(status.subject_id)).value();
  EXPECT_EQ(bundle.key_pem, brought.key.pem());
  EXPECT_EQ(bundle.chain_pem, chain.pem(brought));
  EXPECT_EQ(run(issuer->revoke(status.subject_id, 1)).error().code, protocol::errc::refused);
  retire();
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(status_of("www.customer.example").source, "upload");
  ASSERT_TRUE(run(issuer->remove_upload(tenant.id, "www.customer.example")));
  EXPECT_EQ(status_of("www.customer.example").fingerprint, before) << "the one from before is still good";
  EXPECT_EQ(ca->counters.orders, 2);
  EXPECT_EQ(run(issuer->remove_upload(tenant.id, "www.customer.example")).error().code, vault::errc::not_found);
}

TEST_F(UploadTest, AProblemStoresNothingAndStrangersNamesAreNotFound) {
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_FALSE(bring(chain.leaf({.names = {"bank.example"}})).empty());
  EXPECT_EQ(certificates().size(), 2U);
  EXPECT_EQ(status_of("www.customer.example").source, "acme");
  auto const good = leaf();
  upload::Upload const upload{chain.pem(good), good.key.pem()};
  EXPECT_EQ(run(issuer->take_upload(tenant.id + 1, "www.customer.example", upload, true)).error().code,
            vault::errc::not_found);
  EXPECT_EQ(run(issuer->take_upload(tenant.id, "other.example", upload, true)).error().code, vault::errc::not_found);
}

// The order's turn comes while the upload is on its way into the store.
TEST_F(UploadTest, NoOrderBeginsWhileAnUploadIsBeingStored) {
  start();
  ASSERT_TRUE(issued(2));
  auto const brought = leaf();
  upload::Upload const upload{chain.pem(brought), brought.key.pem()};
  issuer->order_now(status_of("www.customer.example").subject_id);
  EXPECT_TRUE(run(issuer->take_upload(tenant.id, "www.customer.example", upload, true)).value().empty());
  EXPECT_EQ(status_of("www.customer.example").source, "upload");
  add_tenant("other");
  issuer->poke();
  ASSERT_TRUE(issued(3)) << "a whole round went by";
  EXPECT_EQ(status_of("www.customer.example").source, "upload") << "no order replaced it";
  EXPECT_EQ(ca->counters.orders, 3);
  // And of two uploads at once the second is told so.
  net::Task<base::Result<base::Problems>> first = issuer->take_upload(tenant.id, "www.customer.example", upload, true);
  bool done = false;
  auto const wait = [](net::Task<base::Result<base::Problems>> task, bool& over) -> net::Task<void> {
    EXPECT_TRUE(co_await std::move(task));
    over = true;
  };
  net::spawn(loop.get_executor(), "first", wait(std::move(first), done));
  EXPECT_EQ(run(issuer->take_upload(tenant.id, "www.customer.example", upload, true)).error().code,
            protocol::errc::unavailable);
  EXPECT_TRUE(until([&] { return done; }));
}

TEST_F(UploadTest, OneOfOurOwnTakesOverBeforeItEnds) {
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_TRUE(bring(leaf(30L * 3600, -300L * 24 * 3600)).empty());  // long past two thirds of its life
  ASSERT_TRUE(until([&] { return status_of("www.customer.example").source == "acme"; }));
  EXPECT_EQ(ca->counters.orders, 3);
}

TEST_F(UploadTest, WithoutFallbackThereIsAnAlarmAndNoOrder) {
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_TRUE(bring(leaf(30L * 3600, -300L * 24 * 3600), false).empty());
  ASSERT_TRUE(until([&] { return status_of("www.customer.example").alarm; }));
  add_tenant("other");
  issuer->poke();
  ASSERT_TRUE(issued(3));
  EXPECT_EQ(status_of("www.customer.example").source, "upload");
  EXPECT_EQ(ca->counters.orders, 3);
  issuer->order_now(status_of("www.customer.example").subject_id);
  EXPECT_TRUE(until([&] { return status_of("www.customer.example").source == "acme"; })) << "an administrator's word";
}

TEST_F(SubjectsTest, RestartsKeepSubjectsApart) {
  add_tenant("acme-tv");
  add_domain("acme-tv", "www.customer.example");
  start();
  ASSERT_TRUE(issued(2));
  auto const subjects = run(vault.subjects()).value();
  retire();
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(run(vault.subjects()).value(), subjects);
  EXPECT_EQ(ca->counters.orders, 2);
  EXPECT_THAT(run(vault.attempts()).value(), IsEmpty());
}

}  // namespace
}  // namespace acme
