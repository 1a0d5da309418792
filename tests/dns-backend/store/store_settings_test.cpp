#include "dns-backend/schema/schema.hpp"
#include "tests/dns-backend/store/store_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

#include <filesystem>

namespace store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(StoreSettings, a_zone_is_created_with_its_settings_and_only_once) {
  Site site;
  Revision const revision =
      site.ok(site.store->create_zone(name("example.org"), {"master", {}, "shop"}, records(zone_head)));
  EXPECT_EQ(revision, 1) << "one step";
  EXPECT_EQ(site.zone()->kind, "master");
  EXPECT_EQ(site.zone()->account, "shop");
  EXPECT_EQ(site.zone()->serial, 1U);
  EXPECT_THAT(site.contents("ns.example.org", dns::type_a), ElementsAre("192.0.2.53"));
  EXPECT_EQ(site.store->zones()[0].account, "shop");
  EXPECT_EQ(site.failure(site.store->create_zone(name("example.org"), {}, {})).code, errc::exists);
  auto const broken = site.failure(site.store->create_zone(name("example.net"), {}, records(zone_head)));
  EXPECT_EQ(broken.code, errc::refused);
  EXPECT_THAT(broken.detail, HasSubstr("outside the zone"));
  EXPECT_EQ(site.zone("example.net"), nullptr);
}

TEST(StoreSettings, a_secondary_begins_empty_and_takes_what_it_is_sent_with_its_serial) {
  Site site;
  site.ok(
      site.store->create_zone(name("example.org"), {"slave", {"192.0.2.1", "192.0.2.2:5300", "2001:DB8::1"}, ""}, {}));
  EXPECT_THAT(site.zone()->masters, ElementsAre("192.0.2.1", "192.0.2.2:5300", "2001:db8::1"));
  EXPECT_EQ(site.zone()->serial, 0U);
  EXPECT_TRUE(site.entry("example.org")->is_ent());
  site.import_zone("$TTL 60\n@ SOA ns host 4000000000 2 3 4 5\n@ NS ns\n");
  EXPECT_EQ(site.zone()->serial, 4000000000U);
  site.import_zone("$TTL 60\n@ SOA ns host 3999999999 2 3 4 5\n@ NS ns\n");
  EXPECT_EQ(site.zone()->serial, 3999999999U) << "backwards";
  EXPECT_THAT(site.contents("example.org", dns::type_soa), ElementsAre(HasSubstr(" 3999999999 ")));
  // IXFR: sets in place, the SOA among them.
  site.replace("example.org", dns::type_soa, {"ns.example.org. host.example.org. 7 2 3 4 5"});
  EXPECT_EQ(site.zone()->serial, 7U);
}

TEST(StoreSettings, what_is_added_at_a_secondary_leaves_its_serial_to_its_primary) {
  Site site;
  site.import_zone(zone_head);
  site.ok(site.store->set_zone_settings(name("example.org"), {"slave", {"192.0.2.1"}, ""}));
  site.ok(site.store->add_challenges({{name("_acme-challenge.example.org"), "v"}}, "order"));
  site.replace("www.example.org", dns::type_a, {"192.0.2.9"});
  EXPECT_EQ(site.zone()->serial, 1U);
  EXPECT_THAT(site.contents("_acme-challenge.example.org", dns::type_txt), ElementsAre("\"v\""));
}

TEST(StoreSettings, settings_are_replaced_without_a_new_serial) {
  Site site;
  site.import_zone(zone_head);
  site.ok(site.store->set_zone_settings(name("example.org"), {"slave", {"[2001:db8::1]:53", "[2001:db8::2]"}, "shop"}));
  EXPECT_EQ(site.zone()->kind, "slave");
  EXPECT_THAT(site.zone()->masters, ElementsAre("[2001:db8::1]:53", "2001:db8::2"));
  EXPECT_EQ(site.zone()->account, "shop");
  EXPECT_EQ(site.zone()->serial, 1U);
  EXPECT_THAT(site.touched, IsEmpty()) << "no answer changes";
  site.ok(site.store->set_kind(name("example.org"), "native"));
  EXPECT_THAT(site.zone()->masters, SizeIs(2)) << "the kind alone changes";
  EXPECT_EQ(site.failure(site.store->set_zone_settings(name("x.org"), {})).code, errc::not_found);
}

TEST(StoreSettings, settings_that_make_no_sense_are_refused_with_every_reason) {
  Site site;
  site.import_zone(zone_head);
  auto const failure = site.failure(site.store->set_zone_settings(
      name("example.org"),
      {"Slave", {"192.0.2.1:0", "ns.example.org", "2001:db8::1:99999", "[192.0.2.1]:53", "192.0.2.1:5x", ""}, ""}));
  EXPECT_EQ(failure.code, errc::refused);
  for (auto const* part : {"'Slave'", "'192.0.2.1:0'", "'ns.example.org'", "'2001:db8::1:99999'", "'[192.0.2.1]:53'",
                           "'192.0.2.1:5x'", "''"}) {
    EXPECT_THAT(failure.detail, HasSubstr(part));
  }
  EXPECT_EQ(site.zone()->kind, "native");
  std::vector<std::string> const many(65, "192.0.2.1");
  EXPECT_EQ(site.failure(site.store->set_zone_settings(name("example.org"), {"slave", many, ""})).code, errc::refused);
  EXPECT_EQ(
      site.failure(site.store->set_zone_settings(name("example.org"), {"native", {}, std::string(256, 'a')})).code,
      errc::refused);
}

TEST(StoreSettings, checks_are_remembered_and_change_neither_serial_nor_answers) {
  Site site;
  site.import_zone(zone_head);
  EXPECT_EQ(site.zone()->last_check_s, 0);
  site.ok(site.store->set_checked(1, 1795000000));
  EXPECT_EQ(site.zone()->last_check_s, 1795000000);
  EXPECT_EQ(site.zone()->serial, 1U);
  EXPECT_THAT(site.touched, IsEmpty());
  site.ok(site.store->set_checked(1, 0));
  EXPECT_EQ(site.zone()->last_check_s, 0);
  EXPECT_EQ(site.failure(site.store->set_checked(2, 1)).code, errc::not_found);
}

TEST(StoreSettings, autoprimaries_are_kept_by_address_and_name_server) {
  Site site;
  site.ok(site.store->set_autoprimary({"192.0.2.1", "NS1.example.org", "a"}));
  site.ok(site.store->set_autoprimary({"192.0.2.1", "ns2.example.org.", "b"}));
  site.ok(site.store->set_autoprimary({"192.0.2.1", "ns1.example.org.", "c"}));
  auto const list = site.snapshot()->autoprimaries;
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].nameserver, "ns1.example.org.");
  EXPECT_EQ(list[0].account, "c");
  EXPECT_EQ(list[1].account, "b");
  EXPECT_EQ(site.failure(site.store->set_autoprimary({"nowhere", "ns1.example.org", ""})).code, errc::refused);
  EXPECT_EQ(site.failure(site.store->set_autoprimary({"192.0.2.1", "ns..org", ""})).code, errc::refused);
  site.ok(site.store->remove_autoprimary("192.0.2.1", "ns1.example.org"));
  EXPECT_THAT(site.snapshot()->autoprimaries, SizeIs(1));
  EXPECT_EQ(site.failure(site.store->remove_autoprimary("192.0.2.1", "ns1.example.org")).code, errc::not_found);
}

TEST(StoreSettings, a_store_of_version_3_keeps_its_tenants_and_their_answers) {
  test::TemporaryFolder const folder;
  std::string const url = "sqlite://" + folder.file("navigator.db");
  database::Schema version_3 = schema();
  version_3.migrations.resize(3);
  ASSERT_EQ(version_3.replicated[12].table, "former_label");
  version_3.replicated.resize(12);
  {
    auto old = database::Database::open(url, {version_3}).value();
    auto const written = old->write([](database::Transaction& transaction) -> base::Result<void> {
      for (auto const* sql :
           {"INSERT INTO zone (apex, serial, kind) VALUES ('example.org.', 9, 'native')",
            R"(INSERT INTO rrset VALUES (1, 'example.org.', 6, 60, '["ns. host. 0 2 3 4 5"]'))",
            R"(INSERT INTO rrset VALUES (1, 'example.org.', 2, 60, '["ns."]'))",
            "INSERT INTO tenant (label, zone, plan, primary_pool, backups, state, created_at_ms) VALUES ('acme-tv', "
            "'example.org.', 'gold', 'ams', '[]', 'active', 5)"}) {
        if (auto done = transaction.execute(sql); !done) {
          return done.error();
        }
      }
      return {};
    });
    ASSERT_TRUE(written) << written.error().what();
  }
  Site site(url);
  auto const tenants = site.ok(site.store->tenants());
  ASSERT_THAT(tenants, SizeIs(1));
  EXPECT_EQ(tenants[0].changed_at, 0);
  EXPECT_NE(site.entry("acme-tv.example.org")->balancer, nullptr);
  EXPECT_TRUE(database::Database::open("sqlite://" + folder.file("navigator.db.before-store-5"), {version_3}));
}

// A file as the first release wrote it.
TEST(StoreSettings, a_store_of_version_1_is_migrated_and_a_copy_stays_beside_it) {
  test::TemporaryFolder const folder;
  std::string const url = "sqlite://" + folder.file("navigator.db");
  database::Schema version_1 = schema();
  ASSERT_EQ(version_1.migrations.size(), 5U);
  version_1.migrations.resize(1);
  ASSERT_EQ(version_1.replicated[10].table, "autoprimary");
  version_1.replicated.resize(10);
  {
    auto old = database::Database::open(url, {version_1}).value();
    auto const written = old->write([](database::Transaction& transaction) -> base::Result<void> {
      for (auto const* sql : {"INSERT INTO zone (apex, serial, kind) VALUES ('example.org.', 9, 'slave')",
                              R"(INSERT INTO rrset VALUES (1, 'example.org.', 6, 60, '["ns. host. 0 2 3 4 5"]'))",
                              R"(INSERT INTO rrset VALUES (1, 'example.org.', 2, 60, '["ns."]'))",
                              R"(INSERT INTO rrset VALUES (1, 'x.example.org.', 26, 60, '["10 a. b."]'))"}) {
        if (auto done = transaction.execute(sql); !done) {
          return done.error();
        }
      }
      return {};
    });
    ASSERT_TRUE(written) << written.error().what();
  }
  {
    Site site(url);
    ASSERT_NE(site.zone(), nullptr);
    EXPECT_EQ(site.zone()->serial, 9U);
    EXPECT_EQ(site.zone()->kind, "slave");
    EXPECT_THAT(site.zone()->masters, IsEmpty());
    EXPECT_EQ(site.zone()->last_check_s, 0);
    EXPECT_THAT(site.contents("example.org", dns::type_ns), ElementsAre("ns."));
    EXPECT_THAT(site.contents("x.example.org", dns::RRType{26}), ElementsAre("\\# 8 000a016100016200"))
        << "PX, which PowerDNS does not know";
    site.ok(site.store->set_checked(1, 5));
    site.ok(site.store->set_autoprimary({"192.0.2.1", "ns.", ""}));
  }
  EXPECT_TRUE(std::filesystem::exists(folder.file("navigator.db.before-store-5")));
  EXPECT_TRUE(database::Database::open("sqlite://" + folder.file("navigator.db.before-store-5"), {version_1}));
  auto const refused = database::Database::open(url, {version_1});
  ASSERT_TRUE(refused.has_error()) << "an older program does not touch it";
  EXPECT_EQ(refused.error().code, database::errc::newer);
  Site again(url);
  EXPECT_EQ(again.zone()->last_check_s, 5);
  EXPECT_THAT(again.snapshot()->autoprimaries, SizeIs(1));
}

TEST(StoreSettings, an_imported_key_keeps_its_id_where_that_is_free) {
  Site site;
  site.ok(site.store->create_zone(name("example.org"), {}, records(zone_head)));
  EXPECT_EQ(site.ok(site.store->add_key(name("example.org"), {41, 257, true, true, "one"})), 41);
  std::int64_t const second = site.ok(site.store->add_key(name("example.org"), {41, 256, true, true, "two"}));
  EXPECT_NE(second, 41) << "taken";
  EXPECT_GT(site.ok(site.store->add_key(name("example.org"), {0, 256, true, true, "three"})), second);
  EXPECT_THAT(site.zone()->keys, SizeIs(3));
}

}  // namespace
}  // namespace store
