#include "tests/dns-backend/store/store_fixture.hpp"

#include <unistd.h>
#include <filesystem>
#include <fstream>

namespace store {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(StoreZones, an_imported_zone_is_served_with_its_serial) {
  Site site;
  Revision const revision = site.import_zone("$TTL 60\n@ SOA ns host 2026112301 2 3 4 5\n@ NS ns\nwww A 192.0.2.1\n");
  EXPECT_EQ(revision, 1);
  EXPECT_EQ(site.store->revision(), 1);
  EXPECT_EQ(site.snapshot()->revision, 1);
  EXPECT_EQ(site.zone()->serial, 2026112301U);
  EXPECT_EQ(site.zone()->id, 1);
  EXPECT_THAT(site.contents("example.org", dns::type_soa),
              ElementsAre("ns.example.org. host.example.org. 2026112301 2 3 4 5"));
  EXPECT_THAT(site.contents("www.example.org", dns::type_a), ElementsAre("192.0.2.1"));
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), true}));
  ASSERT_EQ(site.store->zones().size(), 1U);
  EXPECT_EQ(site.store->zones()[0].apex, name("example.org"));
  EXPECT_EQ(site.store->zones()[0].names, 2U);
  EXPECT_FALSE(site.store->zones()[0].secured);
}

TEST(StoreZones, importing_the_same_zone_again_changes_nothing) {
  Site site;
  site.import_zone(zone_head + "www A 192.0.2.1\n");
  auto const before = site.snapshot();
  EXPECT_EQ(site.import_zone("$TTL 60\nwww A 192.0.2.1\nns A 192.0.2.53\n@ NS ns\n@ SOA ns host 1 2 3 4 5\n"), 1);
  EXPECT_EQ(site.snapshot(), before);
  EXPECT_THAT(site.published, ElementsAre(1));
}

TEST(StoreZones, an_import_takes_the_serial_of_the_file_when_it_is_ahead) {
  Site site;
  site.import_zone(zone_head);
  site.import_zone(zone_head + "www A 192.0.2.1\n");
  EXPECT_EQ(site.zone()->serial, 2U);  // the file said 1
  site.import_zone("$TTL 60\n@ SOA ns host 100 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.1\n");
  EXPECT_EQ(site.zone()->serial, 100U);
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), false}));
  site.import_zone(zone_head);
  EXPECT_EQ(site.zone()->serial, 101U);
  EXPECT_THAT(site.contents("example.org", dns::type_soa), ElementsAre(HasSubstr(" 101 ")));
}

TEST(StoreZones, a_secondary_takes_the_serial_of_its_primary_even_backwards) {
  Site site;
  site.import_zone("$TTL 60\n@ SOA ns host 50 2 3 4 5\n@ NS ns\n");
  site.ok(site.store->set_kind(name("example.org"), "slave"));
  site.import_zone(zone_head);
  EXPECT_EQ(site.zone()->serial, 1U);
  EXPECT_EQ(site.zone()->kind, "slave");
}

TEST(StoreZones, a_zone_signed_elsewhere_keeps_the_serial_that_its_signature_covers) {
  Site site;
  site.import_zone(zone_head);
  site.import_zone(zone_head + "www A 192.0.2.1\n");
  site.import_zone(zone_head + "@ RRSIG SOA 13 2 60 20260101000000 20250101000000 1 @ aaaa\n");
  EXPECT_EQ(site.zone()->serial, 1U);
}

TEST(StoreZones, a_zone_against_the_rules_is_refused_with_every_reason) {
  Site site;
  std::vector<dns::OwnedRRset> const bad{{name("example.org"), {dns::type_cname, 60, {"a."}}},
                                         {name("www.example.org"), {dns::type_a, 60, {"192.0.2.1"}}},
                                         {name("other.net"), {dns::type_a, 60, {"192.0.2.1"}}}};
  auto const failure = site.failure(site.store->import_zone(name("example.org"), bad));
  EXPECT_EQ(failure.code, errc::refused);
  EXPECT_THAT(failure.detail, HasSubstr("no SOA"));
  EXPECT_THAT(failure.detail, HasSubstr("no NS"));
  EXPECT_THAT(failure.detail, HasSubstr("outside the zone"));
  EXPECT_TRUE(site.snapshot()->zones.empty());
  EXPECT_THAT(site.published, IsEmpty());
}

TEST(StoreZones, replacing_rrsets_changes_those_alone_and_raises_the_serial) {
  Site site;
  site.import_zone(zone_head + "www A 192.0.2.1\nwww TXT old\n");
  site.replace("www.example.org", dns::type_a, {"192.0.2.3", "192.0.2.2", "192.0.2.3"});
  EXPECT_THAT(site.contents("www.example.org", dns::type_a), ElementsAre("192.0.2.2", "192.0.2.3"));
  EXPECT_THAT(site.contents("www.example.org", dns::type_txt), ElementsAre("\"old\""));
  EXPECT_EQ(site.zone()->serial, 2U);
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), false}, Touched{name("www.example.org"), false}));
  Revision const revision = site.replace("www.example.org", dns::type_a, {"192.0.2.2", "192.0.2.3"});
  EXPECT_EQ(revision, 2);
  EXPECT_EQ(site.zone()->serial, 2U);
  site.replace("www.example.org", dns::type_a, {});
  site.replace("www.example.org", dns::type_txt, {});
  EXPECT_EQ(site.entry("www.example.org"), nullptr);
  EXPECT_EQ(site.zone()->serial, 4U);
  EXPECT_EQ(site.replace("gone.example.org", dns::type_txt, {}), 4);
}

TEST(StoreZones, the_serial_of_a_replaced_soa_counts_when_it_is_ahead) {
  Site site;
  site.import_zone(zone_head);
  site.replace("example.org", dns::type_soa, {"ns.example.org. host.example.org. 7 2 3 4 5"});
  EXPECT_EQ(site.zone()->serial, 7U);
  site.replace("example.org", dns::type_soa, {"ns.example.org. host.example.org. 3 2 3 4 5"});
  EXPECT_EQ(site.zone()->serial, 7U);
  site.replace("example.org", dns::type_soa, {"ns.example.org. host.example.org. 3 2 3 4 600"});
  EXPECT_EQ(site.zone()->serial, 8U);
  EXPECT_THAT(site.contents("example.org", dns::type_soa),
              ElementsAre("ns.example.org. host.example.org. 8 2 3 4 600"));
}

TEST(StoreZones, a_change_against_the_rules_is_refused_as_a_whole) {
  Site site;
  site.import_zone(zone_head + "www A 192.0.2.1\n");
  auto const attempt = [&site](std::vector<dns::OwnedRRset> rrsets) {
    return site.failure(site.store->replace_rrsets(name("example.org"), std::move(rrsets)));
  };
  EXPECT_EQ(attempt({{name("www.example.org"), {dns::type_cname, 60, {"a."}}}}).code, errc::refused);
  EXPECT_EQ(attempt({{name("example.org"), {dns::type_soa, 60, {}}}}).code, errc::refused);
  EXPECT_EQ(attempt({{name("example.org"), {dns::type_ns, 60, {}}}}).code, errc::refused);
  EXPECT_EQ(attempt({{name("x.net"), {dns::type_a, 60, {"192.0.2.1"}}}}).code, errc::refused);
  EXPECT_EQ(attempt({{name("fine.example.org"), {dns::type_a, 60, {"192.0.2.1"}}},
                     {name("x.net"), {dns::type_a, 60, {"192.0.2.1"}}}})
                .code,
            errc::refused);
  EXPECT_EQ(site.entry("fine.example.org"), nullptr);
  EXPECT_EQ(site.zone()->serial, 1U);
  EXPECT_EQ(site.failure(site.store->replace_rrsets(name("missing.org"), {})).code, errc::not_found);
}

TEST(StoreZones, the_order_of_a_replacement_does_not_matter_for_what_replaces_what) {
  Site site;
  site.import_zone(zone_head + "www A 192.0.2.1\n");
  site.ok(site.store->replace_rrsets(name("example.org"),
                                     {{name("www.example.org"), {dns::type_cname, 60, {"ns.example.org."}}},
                                      {name("www.example.org"), {dns::type_a, 60, {}}}}));
  EXPECT_THAT(site.contents("www.example.org", dns::type_cname), ElementsAre("ns.example.org."));
  EXPECT_THAT(site.contents("www.example.org", dns::type_a), IsEmpty());
}

TEST(StoreZones, a_change_in_one_zone_shares_every_other_zone_and_every_other_name) {
  Site site;
  site.import_zone(zone_head + "www A 192.0.2.1\nmail A 192.0.2.2\n");
  site.import_zone(zone_head, "example.net");
  auto const before = site.snapshot();
  site.replace("www.example.org", dns::type_a, {"192.0.2.9"});
  auto const after = site.snapshot();
  EXPECT_EQ(before->zone(name("example.net")), after->zone(name("example.net")));
  EXPECT_NE(before->zone(name("example.org")), after->zone(name("example.org")));
  auto const entry = [](auto const& snapshot, std::string_view owner) {
    return snapshot->zone(name("example.org"))->find(name(owner));
  };
  EXPECT_EQ(entry(before, "mail.example.org"), entry(after, "mail.example.org"));
  EXPECT_NE(entry(before, "www.example.org"), entry(after, "www.example.org"));
  EXPECT_THAT(entry(before, "www.example.org")->rrsets[0].contents, ElementsAre("192.0.2.1"));
  EXPECT_EQ(after->zone_by_id(1), after->zone(name("example.org")));
}

TEST(StoreZones, a_deleted_zone_is_gone_with_all_it_had_and_its_id_is_not_used_again) {
  Site site;
  site.import_zone(zone_head);
  site.ok(site.store->set_metadata(name("example.org"), "X", {"y"}));
  site.ok(site.store->add_key(name("example.org"), {0, 257, true, true, "secret"}));
  site.ok(site.store->delete_zone(name("example.org")));
  EXPECT_TRUE(site.snapshot()->zones.empty());
  EXPECT_TRUE(site.snapshot()->zones_by_id.empty());
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), true}));
  EXPECT_EQ(site.failure(site.store->delete_zone(name("example.org"))).code, errc::not_found);
  site.import_zone(zone_head);
  EXPECT_EQ(site.zone()->id, 2);
  EXPECT_TRUE(site.zone()->metadata.empty());
  EXPECT_TRUE(site.zone()->keys.empty());
}

TEST(StoreZones, metadata_are_set_replaced_and_removed_without_a_new_serial) {
  Site site;
  site.import_zone(zone_head + "a.b A 192.0.2.1\n");
  site.ok(site.store->set_metadata(name("example.org"), "ALLOW-AXFR-FROM", {"b", "a"}));
  EXPECT_THAT(site.zone()->metadata.at("ALLOW-AXFR-FROM"), ElementsAre("b", "a"));
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), true}));
  Revision const revision = site.store->revision();
  EXPECT_EQ(site.ok(site.store->set_metadata(name("example.org"), "ALLOW-AXFR-FROM", {"b", "a"})), revision);
  site.ok(site.store->set_metadata(name("example.org"), "NSEC3PARAM", {"1 0 0 -"}));
  EXPECT_EQ(site.zone()->nsec3.size(), 4U);  // apex, ns, b, a.b
  site.replace("new.example.org", dns::type_a, {"192.0.2.1"});
  EXPECT_EQ(site.zone()->nsec3.size(), 5U);
  site.ok(site.store->set_metadata(name("example.org"), "NSEC3PARAM", {}));
  EXPECT_TRUE(site.zone()->nsec3.empty());
  EXPECT_FALSE(site.zone()->metadata.contains("NSEC3PARAM"));
  EXPECT_EQ(site.zone()->serial, 2U);
  EXPECT_EQ(site.failure(site.store->set_metadata(name("x.org"), "A", {"b"})).code, errc::not_found);
}

TEST(StoreZones, keys_have_ids_and_states) {
  Site site;
  site.import_zone(zone_head);
  std::int64_t const first = site.ok(site.store->add_key(name("example.org"), {0, 257, true, true, "one"}));
  std::int64_t const second = site.ok(site.store->add_key(name("example.org"), {0, 256, false, true, "two"}));
  EXPECT_NE(first, second);
  EXPECT_TRUE(site.store->zones()[0].secured);
  site.ok(site.store->set_key_state(name("example.org"), first, false, std::nullopt));
  site.ok(site.store->set_key_state(name("example.org"), second, std::nullopt, false));
  ASSERT_EQ(site.zone()->keys.size(), 2U);
  EXPECT_FALSE(site.zone()->keys[0].active);
  EXPECT_TRUE(site.zone()->keys[0].published);
  EXPECT_FALSE(site.zone()->keys[1].published);
  EXPECT_FALSE(site.store->zones()[0].secured);
  site.ok(site.store->remove_key(name("example.org"), first));
  ASSERT_EQ(site.zone()->keys.size(), 1U);
  EXPECT_EQ(site.zone()->keys[0].content, "two");
  EXPECT_EQ(site.failure(site.store->remove_key(name("example.org"), first)).code, errc::not_found);
  EXPECT_EQ(site.failure(site.store->set_key_state(name("example.org"), first, true, true)).code, errc::not_found);
  site.import_zone(zone_head, "example.net");
  EXPECT_EQ(site.failure(site.store->remove_key(name("example.net"), second)).code, errc::not_found);
}

TEST(StoreZones, notified_serial_kind_and_tsig_keys_are_kept) {
  Site site;
  site.import_zone(zone_head);
  site.ok(site.store->set_notified_serial(1, 77));
  EXPECT_EQ(site.zone()->notified_serial, 77U);
  EXPECT_THAT(site.touched, IsEmpty());
  EXPECT_EQ(site.failure(site.store->set_notified_serial(9, 77)).code, errc::not_found);
  site.ok(site.store->set_kind(name("example.org"), "master"));
  EXPECT_EQ(site.zone()->kind, "master");
  EXPECT_EQ(site.failure(site.store->set_kind(name("example.org"), "Master")).code, errc::refused);
  EXPECT_EQ(site.failure(site.store->set_kind(name("x.org"), "native")).code, errc::not_found);
  site.ok(site.store->set_tsig_key({"key.", "hmac-sha256.", "c2VjcmV0"}));
  ASSERT_EQ(site.snapshot()->tsig_keys.size(), 1U);
  EXPECT_EQ(site.snapshot()->tsig_keys[0].content, "c2VjcmV0");
  site.ok(site.store->delete_tsig_key("key."));
  EXPECT_TRUE(site.snapshot()->tsig_keys.empty());
  EXPECT_EQ(site.failure(site.store->delete_tsig_key("key.")).code, errc::not_found);
}

TEST(StoreZones, a_read_only_store_refuses_every_write_and_keeps_answering) {
  Site site;
  site.import_zone(zone_head);
  site.store->set_read_only(true);
  EXPECT_EQ(site.failure(site.store->import_zone(name("example.net"), records(zone_head, "example.net"))).code,
            errc::read_only);
  EXPECT_EQ(site.failure(site.store->create_tenant(tenant_row("a", "p"))).code, errc::read_only);
  EXPECT_EQ(site.failure(site.store->set_pools({})).code, errc::read_only);
  EXPECT_NE(site.entry("ns.example.org"), nullptr);
  site.store->set_read_only(false);
  site.replace("www.example.org", dns::type_a, {"192.0.2.1"});
}

TEST(StoreZones, a_reopened_store_serves_what_it_served) {
  auto const folder = std::filesystem::temp_directory_path() / ("store_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::string const url = "sqlite://" + (folder / "store.db").string();
  std::shared_ptr<Snapshot const> before;
  {
    Site site(url);
    site.import_zone(zone_head + "*.w A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\n");
    site.ok(site.store->set_pools({pool_row("ams", {"e1", "e2"})}));
    site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
    site.ok(site.store->add_challenges({{name("_acme-challenge.acme-tv.example.org"), "v"}}, "order"));
    before = site.snapshot();
  }
  Site again(url);
  EXPECT_EQ(again.store->revision(), before->revision);
  expect_same(*before, *again.snapshot());
  again.store.reset();
  std::filesystem::remove_all(folder);
}

TEST(StoreZones, commits_of_other_modules_move_the_revision_of_the_snapshot) {
  database::Schema const other{
      "other", {{1, "CREATE TABLE thing (id INTEGER PRIMARY KEY NOT NULL)"}}, {{"thing", {"id"}}}};
  Site site("sqlite://:memory:", {other});
  std::function<base::Result<Revision>(database::Database&)> const work = [](database::Database& database) {
    return database.write([](database::Transaction& transaction) -> base::Result<void> {
      auto const done = transaction.execute("INSERT INTO thing (id) VALUES (1)");
      return done ? base::Result<void>() : done.error();
    });
  };
  EXPECT_EQ(site.ok(site.store->thread().run<Revision>(work)), 1);
  EXPECT_EQ(site.snapshot()->revision, 1);
  EXPECT_THAT(site.published, ElementsAre(1));
  EXPECT_THAT(site.touched, IsEmpty());
}

}  // namespace
}  // namespace store
