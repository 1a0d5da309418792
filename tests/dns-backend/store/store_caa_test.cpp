// CAA records that say which CAs may issue for tenants' names.
#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/writes/caa.hpp"
#include "tests/dns-backend/store/store_fixture.hpp"

namespace store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreCaa : public testing::Test {
 protected:
  StoreCaa() {
    site.import_zone(zone_head);
    site.ok(site.store->set_pools({pool_row("ams", {"a1", "a2"})}));
    site.ok(site.store->create_tenant(tenant_row("one-tv", "ams")));
  }
  void change(std::string const& label, tenants::TenantChange const& wanted) {
    site.ok(site.store->write([=](Write const& write) {
      base::Problems excess;
      return tenants::change(write, {}, label, wanted, {1, {}}, excess);
    }));
  }
  std::vector<std::string> caa(std::string const& owner) { return site.contents(owner, dns::type_caa); }

  Site site;
  std::string const first = "ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01";
};

TEST_F(StoreCaa, every_tenants_name_has_them_and_nothing_else_has) {
  std::uint32_t const serial = site.zone()->serial;
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(caa("one-tv.example.org"), ElementsAre("0 issue \"" + first + "\"", "0 issuewild \"" + first + "\""));
  EXPECT_EQ(site.entry("one-tv.example.org")->rrsets[0].ttl, Model::caa_ttl);
  EXPECT_NE(site.entry("one-tv.example.org")->balancer, nullptr);
  EXPECT_THAT(caa("*.one-tv.example.org"), IsEmpty()) << "a CA climbs from there to the name";
  EXPECT_THAT(caa("example.org"), IsEmpty());
  EXPECT_THAT(site.touched,
              ElementsAre(Touched{name("example.org"), false}, Touched{name("one-tv.example.org"), false}));
  // A tenant that comes later has them from its first moment on.
  site.ok(site.store->create_tenant(tenant_row("two-tv", "ams")));
  EXPECT_THAT(caa("two-tv.example.org"), testing::SizeIs(2));
  Revision const revision = site.store->revision();
  EXPECT_EQ(site.ok(site.store->set_caa_issuer("https://ca.example/dir", first)), revision) << "it is there already";
}

TEST_F(StoreCaa, authorities_join_change_and_leave) {
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  site.ok(site.store->set_caa_issuer("https://other.example/dir", "other.example"));
  EXPECT_THAT(caa("one-tv.example.org"), ElementsAre("0 issue \"" + first + "\"", "0 issue \"other.example\"",
                                                     "0 issuewild \"" + first + "\"", "0 issuewild \"other.example\""));
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", "ca.example"));
  site.ok(site.store->keep_caa_issuers({"https://ca.example/dir", "https://third.example/dir"}));
  EXPECT_THAT(caa("one-tv.example.org"), ElementsAre("0 issue \"ca.example\"", "0 issuewild \"ca.example\""));
  Revision const revision = site.store->revision();
  EXPECT_EQ(site.ok(site.store->keep_caa_issuers({"https://ca.example/dir"})), revision);
  std::uint32_t const serial = site.zone()->serial;
  site.ok(site.store->keep_caa_issuers({}));
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(caa("one-tv.example.org"), IsEmpty());
}

TEST_F(StoreCaa, what_a_tenant_says_himself_stands) {
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  site.replace("one-tv.example.org", dns::type_caa, {"0 issue \"own.example\""});
  EXPECT_THAT(caa("one-tv.example.org"), ElementsAre("0 issue \"own.example\""));
  site.ok(site.store->set_caa_issuer("https://other.example/dir", "other.example"));
  EXPECT_THAT(caa("one-tv.example.org"), ElementsAre("0 issue \"own.example\""));
  site.replace("one-tv.example.org", dns::type_caa, {});
  EXPECT_THAT(caa("one-tv.example.org"), testing::SizeIs(4));
}

TEST_F(StoreCaa, what_an_export_showed_is_not_stored_by_an_import) {
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  site.ok(site.store->create_tenant(tenant_row("two-tv", "ams")));
  std::string const records = "one-tv 5 CAA 0 issue \"" + first + "\"\none-tv 5 CAA 0 issuewild \"" + first +
                              "\"\ntwo-tv 5 CAA 0 issue \"own.example\"\n";
  site.import_zone(zone_head + records);
  EXPECT_THAT(caa("one-tv.example.org"), testing::SizeIs(2));
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", "ca.example"));
  EXPECT_THAT(caa("one-tv.example.org"), ElementsAre("0 issue \"ca.example\"", "0 issuewild \"ca.example\""));
  EXPECT_THAT(caa("two-tv.example.org"), ElementsAre("0 issue \"own.example\""));
}

TEST_F(StoreCaa, they_follow_a_tenant_through_its_life) {
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  tenants::TenantChange rename;
  rename.label = "new-tv";
  change("one-tv", rename);
  EXPECT_THAT(caa("new-tv.example.org"), testing::SizeIs(2));
  EXPECT_THAT(caa("one-tv.example.org"), testing::SizeIs(2)) << "it is renewed while it is answered";
  tenants::TenantChange suspend;
  suspend.state = "suspended";
  change("new-tv", suspend);
  EXPECT_EQ(site.entry("new-tv.example.org"), nullptr);
  suspend.state = "active";
  change("new-tv", suspend);
  EXPECT_THAT(caa("new-tv.example.org"), testing::SizeIs(2));
  site.ok(site.store->delete_tenant("new-tv"));
  EXPECT_EQ(site.entry("new-tv.example.org"), nullptr);
  EXPECT_EQ(site.entry("one-tv.example.org"), nullptr);
}

TEST_F(StoreCaa, a_name_that_answers_a_cname_has_none) {
  steering::Pool pool;
  pool.name = "elsewhere";
  pool.origins = {{"a", "away.example.net"}};
  site.ok(site.store->put_steering(pool));
  steering::Balancer balancer;
  balancer.name = "one-tv.example.org.";
  balancer.default_pools = {"elsewhere"};
  site.run(site.store->put_steering(balancer));
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  EntryPtr const entry = site.entry("one-tv.example.org");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(caa("one-tv.example.org").empty(), entry->balancer_has_target);
}

TEST_F(StoreCaa, what_cannot_stand_in_a_record_is_refused) {
  for (std::string const value : {"ca.example\"", "ca\\.example", "ca.example\n", "c\xc3\xa4.example"}) {
    EXPECT_EQ(site.failure(site.store->set_caa_issuer("https://ca.example/dir", value)).code, errc::refused) << value;
  }
  EXPECT_THAT(caa("one-tv.example.org"), IsEmpty());
}

TEST_F(StoreCaa, a_replica_answers_them_and_purges_what_they_change) {
  Site replica;
  replica.store->set_read_only(true);
  auto const follow = [&] {
    Position const at = replica.ok(replica.store->position());
    auto changes = site.ok(
        site.store->changes(at.revision, 1000, std::chrono::milliseconds(0), at.revision == 0 ? "" : at.history));
    replica.ok(replica.store->apply_feed(std::move(changes)));
  };
  follow();
  site.ok(site.store->set_caa_issuer("https://ca.example/dir", first));
  follow();
  EXPECT_THAT(replica.contents("one-tv.example.org", dns::type_caa), testing::SizeIs(2));
  EXPECT_THAT(replica.touched, testing::Contains(Touched{name("one-tv.example.org"), false}));
  EXPECT_EQ(replica.failure(replica.store->keep_caa_issuers({})).code, errc::read_only);
  expect_same(*site.snapshot(), *replica.snapshot());
}

}  // namespace
}  // namespace store
