#include "dns-backend/writes/challenges.hpp"
#include "tests/dns-backend/store/store_fixture.hpp"

namespace store {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreTenants : public testing::Test {
 protected:
  StoreTenants() {
    site.import_zone(zone_head);
    PoolRow v6 = pool_row("fra", {"f1"}, 11);
    v6.endpoints[0].address6 = "2001:db8::1";
    site.ok(site.store->set_pools({pool_row("ams", {"a1", "a2"}), v6}));
  }
  base::Failure refusal(Tenant tenant) { return site.failure(site.store->create_tenant(std::move(tenant))); }
  std::vector<std::string> pool_names(std::string_view owner) {
    std::vector<std::string> names;
    EntryPtr const entry = site.entry(owner);
    for (auto const& pool : entry->balancer->pools) {
      names.push_back(pool->name);
    }
    return names;
  }

  Site site;
};

TEST_F(StoreTenants, a_tenant_is_served_at_its_label_and_below) {
  std::uint32_t const serial = site.zone()->serial;
  Tenant const made = site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams", {"fra"})));
  EXPECT_GT(made.id, 0);
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched,
              ElementsAre(Touched{name("example.org"), false}, Touched{name("acme-tv.example.org"), true}));
  for (auto const* owner : {"acme-tv.example.org", "*.acme-tv.example.org"}) {
    EntryPtr const entry = site.entry(owner);
    ASSERT_NE(entry, nullptr) << owner;
    ASSERT_NE(entry->balancer, nullptr);
    EXPECT_THAT(pool_names(owner), ElementsAre("ams", "fra"));
    EXPECT_EQ(entry->balancer->ttl, 30U);
    EXPECT_EQ(entry->balancer->ready, std::nullopt);
    EXPECT_TRUE(entry->balancer_has4);
    EXPECT_TRUE(entry->balancer_has6);
    EXPECT_FALSE(entry->is_ent());
  }
  auto const& endpoints = site.entry("acme-tv.example.org")->balancer->pools[0]->endpoints;
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[1].name, "a2");
  EXPECT_EQ(endpoints[1].address4, "192.0.2.2");
  EXPECT_EQ(endpoints[1].slot, site.health.slot("a2"));
  auto const tenants = site.ok(site.store->tenants());
  ASSERT_EQ(tenants.size(), 1U);
  EXPECT_EQ(tenants[0].label, "acme-tv");
  EXPECT_EQ(tenants[0].zone, "example.org.");
  EXPECT_EQ(tenants[0].plan, "basic");
  EXPECT_THAT(tenants[0].backups, ElementsAre("fra"));
}

TEST_F(StoreTenants, address_types_come_from_configuration_and_not_from_health) {
  site.ok(site.store->create_tenant(tenant_row("four", "ams")));
  EXPECT_TRUE(site.entry("four.example.org")->balancer_has4);
  EXPECT_FALSE(site.entry("four.example.org")->balancer_has6);
  auto const before = site.snapshot();
  site.health.set(site.health.slot("a1"), probe::Health::down);
  EXPECT_EQ(site.snapshot(), before);
}

TEST_F(StoreTenants, a_deleted_tenant_leaves_nothing_behind) {
  auto const before = site.snapshot();
  Tenant const made = site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
  site.ok(site.store->set_ready(made.id, std::vector<std::string>{"a1"}));
  site.ok(site.store->delete_tenant("acme-tv"));
  EXPECT_EQ(site.entry("acme-tv.example.org"), nullptr);
  EXPECT_EQ(site.entry("*.acme-tv.example.org"), nullptr);
  EXPECT_EQ(site.zone()->entries.size(), before->zone(name("example.org"))->entries.size());
  EXPECT_THAT(site.touched,
              ElementsAre(Touched{name("example.org"), false}, Touched{name("acme-tv.example.org"), true}));
  EXPECT_EQ(site.failure(site.store->delete_tenant("acme-tv")).code, errc::not_found);
  Tenant const again = site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
  EXPECT_NE(again.id, made.id);
  EXPECT_EQ(site.entry("acme-tv.example.org")->balancer->ready, std::nullopt);
}

TEST_F(StoreTenants, a_suspended_tenant_is_not_answered) {
  Tenant suspended = tenant_row("acme-tv", "ams");
  suspended.state = "suspended";
  site.ok(site.store->create_tenant(suspended));
  EXPECT_EQ(site.entry("acme-tv.example.org"), nullptr);
}

TEST_F(StoreTenants, what_cannot_be_a_tenant_is_refused_with_the_reason) {
  site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
  EXPECT_EQ(refusal(tenant_row("acme-tv", "ams")).code, errc::exists);
  for (auto const* label : {"", "A", "a.b", "-a", "a-", "a_b", "_acme", "ab--c", "www", "ns", "ns1", "ns42", "mail",
                            "api", "admin", "internal", "acme", "ü"}) {
    EXPECT_EQ(refusal(tenant_row(label, "ams")).code, errc::refused) << label;
  }
  EXPECT_EQ(refusal(tenant_row(std::string(64, 'a'), "ams")).code, errc::refused);
  EXPECT_EQ(refusal(tenant_row("b", "nowhere")).code, errc::not_found);
  EXPECT_EQ(refusal(tenant_row("b", "ams", {"nowhere"})).code, errc::not_found);
  EXPECT_EQ(refusal(tenant_row("b", "ams", {"ams"})).code, errc::refused);
  EXPECT_EQ(refusal(tenant_row("b", "ams", {"fra", "fra"})).code, errc::refused);
  EXPECT_EQ(refusal(tenant_row("b", "ams", {}, "other.org")).code, errc::not_found);
  Tenant odd = tenant_row("b", "ams");
  odd.state = "odd";
  EXPECT_EQ(refusal(odd).code, errc::refused);
  EXPECT_EQ(site.ok(site.store->tenants()).size(), 1U);
  for (auto const* label : {"nsfw", "xn--bcher-kva", "a", "0", "a--b"}) {
    site.ok(site.store->create_tenant(tenant_row(label, "ams")));
  }
}

TEST_F(StoreTenants, names_taken_by_static_records_are_refused_but_others_may_stand_beside) {
  site.replace("one.example.org", dns::type_a, {"192.0.2.7"});
  site.replace("*.two.example.org", dns::type_cname, {"ns.example.org."});
  site.replace("three.example.org", dns::type_ns, {"ns.other."});
  site.replace("four.example.org", dns::type_txt, {"\"v=spf1 -all\""});
  EXPECT_THAT(refusal(tenant_row("one", "ams")).detail, HasSubstr("has A records"));
  EXPECT_THAT(refusal(tenant_row("two", "ams")).detail, HasSubstr("has CNAME records"));
  EXPECT_THAT(refusal(tenant_row("three", "ams")).detail, HasSubstr("has NS records"));
  site.ok(site.store->create_tenant(tenant_row("four", "ams")));
  EXPECT_THAT(site.contents("four.example.org", dns::type_txt), ElementsAre("\"v=spf1 -all\""));
  EXPECT_NE(site.entry("four.example.org")->balancer, nullptr);
}

TEST_F(StoreTenants, static_records_cannot_take_a_tenants_names_later) {
  site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
  auto const attempt = [this](std::string_view owner, dns::RRType type, std::string content) {
    return site.run(site.store->replace_rrsets(name("example.org"), {{name(owner), {type, 60, {std::move(content)}}}}));
  };
  EXPECT_EQ(attempt("acme-tv.example.org", dns::type_a, "192.0.2.1").error().code, errc::refused);
  EXPECT_EQ(attempt("*.acme-tv.example.org", dns::type_cname, "a.").error().code, errc::refused);
  EXPECT_EQ(attempt("acme-tv.example.org", dns::type_ns, "a.").error().code, errc::refused);
  EXPECT_TRUE(attempt("acme-tv.example.org", dns::type_txt, "\"x\""));
  EXPECT_TRUE(attempt("static.acme-tv.example.org", dns::type_a, "192.0.2.1"));
  EXPECT_EQ(
      site.failure(site.store->import_zone(name("example.org"), records(zone_head + "acme-tv A 192.0.2.1\n"))).code,
      errc::refused);
  EXPECT_EQ(
      site.failure(site.store->import_zone(name("acme-tv.example.org"), records(zone_head, "acme-tv.example.org")))
          .code,
      errc::refused);
  EXPECT_EQ(
      site.failure(site.store->import_zone(name("x.acme-tv.example.org"), records(zone_head, "x.acme-tv.example.org")))
          .code,
      errc::refused);
  EXPECT_EQ(site.failure(site.store->delete_zone(name("example.org"))).code, errc::refused);
  site.import_zone(zone_head, "own.example.org");
  EXPECT_THAT(refusal(tenant_row("own", "ams")).detail, HasSubstr("zone of its own"));
  // A new content of the platform zone keeps the tenants.
  site.import_zone(zone_head + "other A 192.0.2.1\n");
  EXPECT_NE(site.entry("acme-tv.example.org")->balancer, nullptr);
}

TEST_F(StoreTenants, readiness_narrows_the_endpoints_and_leaves_the_serial) {
  Tenant const made = site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
  std::uint32_t const serial = site.zone()->serial;
  site.ok(site.store->set_ready(made.id, std::vector<std::string>{"a2", "a1", "a2"}));
  EXPECT_THAT(*site.entry("acme-tv.example.org")->balancer->ready, ElementsAre("a1", "a2"));
  EXPECT_THAT(*site.entry("*.acme-tv.example.org")->balancer->ready, ElementsAre("a1", "a2"));
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("acme-tv.example.org"), true}));
  Revision const revision = site.store->revision();
  EXPECT_EQ(site.ok(site.store->set_ready(made.id, std::vector<std::string>{"a1", "a2"})), revision);
  site.ok(site.store->set_ready(made.id, std::vector<std::string>{}));
  EXPECT_THAT(*site.entry("acme-tv.example.org")->balancer->ready, IsEmpty());
  site.ok(site.store->set_ready(made.id, std::nullopt));
  EXPECT_EQ(site.entry("acme-tv.example.org")->balancer->ready, std::nullopt);
  EXPECT_EQ(site.zone()->serial, serial);
  EXPECT_EQ(site.failure(site.store->set_ready(999, std::nullopt)).code, errc::not_found);
}

TEST_F(StoreTenants, unchanged_pools_change_nothing) {
  auto const pools = site.ok(site.store->pools());
  auto const before = site.snapshot();
  EXPECT_EQ(site.ok(site.store->set_pools(pools)), before->revision);
  EXPECT_EQ(site.snapshot(), before);
  ASSERT_EQ(pools.size(), 2U);
  EXPECT_EQ(pools[0].name, "ams");
  EXPECT_EQ(pools[0].endpoints[0].probe_address, "192.0.2.1");
  EXPECT_EQ(pools[1].endpoints[0].address6, "2001:db8::1");
}

TEST_F(StoreTenants, a_changed_pool_reaches_the_tenants_that_use_it_and_no_others) {
  site.ok(site.store->create_tenant(tenant_row("one", "ams")));
  site.ok(site.store->create_tenant(tenant_row("two", "fra")));
  EntryPtr const two = site.entry("two.example.org");
  std::uint32_t const serial = site.zone()->serial;
  auto pools = site.ok(site.store->pools());
  pools[0].endpoints.push_back({"a3", "192.0.2.33", "2001:DB8:0::3", "192.0.2.33", true, 1});
  site.ok(site.store->set_pools(pools));
  EXPECT_EQ(site.entry("one.example.org")->balancer->pools[0]->endpoints.size(), 3U);
  EXPECT_EQ(site.entry("one.example.org")->balancer->pools[0]->endpoints[2].address6, "2001:db8::3");
  EXPECT_TRUE(site.entry("one.example.org")->balancer_has6);
  EXPECT_EQ(site.entry("two.example.org"), two);
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), false}, Touched{name("one.example.org"), true}));

  pools[0].interval_ms = 777;  // how to check is no answer
  site.ok(site.store->set_pools(pools));
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, IsEmpty());
  EXPECT_EQ(site.ok(site.store->pools())[0].interval_ms, 777U);

  std::swap(pools[0].endpoints[0], pools[0].endpoints[2]);  // order of configuration
  site.ok(site.store->set_pools(pools));
  EXPECT_EQ(site.entry("one.example.org")->balancer->pools[0]->endpoints[0].name, "a3");
  pools[0].endpoints.erase(pools[0].endpoints.begin());
  site.ok(site.store->set_pools(pools));
  EXPECT_EQ(site.entry("one.example.org")->balancer->pools[0]->endpoints.size(), 2U);
}

TEST_F(StoreTenants, pools_against_the_rules_are_refused_with_every_reason) {
  site.ok(site.store->create_tenant(tenant_row("one", "ams", {"fra"})));
  PoolRow bad = pool_row("bad", {"x", "x"});
  bad.type = "smoke";
  bad.interval_ms = 0;
  bad.endpoints[0].address4 = "1.2.3";
  auto const failure = site.failure(site.store->set_pools({pool_row("ams", {"a1"}), bad, pool_row("bad", {})}));
  EXPECT_EQ(failure.code, errc::refused);
  for (auto const* reason : {"given twice", "smoke", "above 0", "1.2.3"}) {
    EXPECT_THAT(failure.detail, HasSubstr(reason));
  }
  EXPECT_THAT(site.failure(site.store->set_pools({pool_row("fra", {"f1"})})).detail,
              HasSubstr("primary of tenant 'one'"));
  site.ok(site.store->set_pools({pool_row("ams", {"a1", "a2"})}));  // a backup may go
  EXPECT_THAT(pool_names("one.example.org"), ElementsAre("ams"));
}

TEST_F(StoreTenants, challenges_are_an_additive_set_beside_static_txt) {
  site.ok(site.store->create_tenant(tenant_row("acme-tv", "ams")));
  dns::Name const where = name("_acme-challenge.acme-tv.example.org");
  std::uint32_t const serial = site.zone()->serial;
  site.ok(site.store->add_challenges({{where, "one"}, {where, "two"}}, "order-1"));
  EXPECT_THAT(site.contents(where.text(), dns::type_txt), ElementsAre("\"one\"", "\"two\""));
  EXPECT_EQ(site.entry(where.text())->rrsets[0].ttl, 5U);
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), false}, Touched{where, true}));
  site.ok(site.store->add_challenges({{where, "two"}, {where, "three"}}, "order-2"));
  EXPECT_THAT(site.contents(where.text(), dns::type_txt), ElementsAre("\"one\"", "\"three\"", "\"two\""));
  Revision const revision = site.store->revision();
  EXPECT_EQ(site.ok(site.store->add_challenges({{where, "two"}}, "order-2")), revision);
  site.replace(where.text(), dns::type_txt, {"\"static\""});
  EXPECT_THAT(site.contents(where.text(), dns::type_txt), ElementsAre("\"one\"", "\"static\"", "\"three\"", "\"two\""));
  site.ok(site.store->remove_challenges("order-1"));
  EXPECT_THAT(site.contents(where.text(), dns::type_txt), ElementsAre("\"static\"", "\"three\"", "\"two\""));
  site.ok(site.store->remove_challenges("order-2"));
  EXPECT_THAT(site.contents(where.text(), dns::type_txt), ElementsAre("\"static\""));
  EXPECT_EQ(site.entry(where.text())->rrsets[0].ttl, 60U);
  Revision const after = site.store->revision();
  EXPECT_EQ(site.ok(site.store->remove_challenges("order-2")), after);
}

TEST_F(StoreTenants, challenges_that_stay_are_set_and_swept_by_their_owners) {
  dns::Name const where = name("_validation-persist.acme-tv.example.org");
  auto const contents = [&] { return site.contents(where.text(), dns::type_txt); };
  site.ok(site.store->set_challenges({{where, "one"}}, "acme/1/2/standing/a"));
  Revision const revision = site.store->revision();
  EXPECT_EQ(site.ok(site.store->set_challenges({{where, "one"}}, "acme/1/2/standing/a")), revision);
  site.ok(site.store->set_challenges({{where, "two"}}, "acme/1/2/standing/a"));
  site.ok(site.store->set_challenges({{where, "three"}}, "acme/1/2/standing/b"));
  site.ok(site.store->add_challenges({{where, "of an order"}}, "acme/1/2"));
  site.ok(site.store->add_challenges({{where, "of another"}}, "acme/1/21"));
  EXPECT_THAT(contents(), ElementsAre("\"of an order\"", "\"of another\"", "\"three\"", "\"two\""));
  site.ok(site.store->sweep_challenges("/standing", {"a", "c"}));
  EXPECT_THAT(contents(), ElementsAre("\"of an order\"", "\"of another\"", "\"two\""));
  site.ok(site.store->remove_challenges_below("acme/1/2"));
  EXPECT_THAT(contents(), ElementsAre("\"of another\""));
}

TEST_F(StoreTenants, challenges_below_an_owner_are_one_range_of_the_key) {
  dns::Name const where = name("_acme-challenge.acme-tv.example.org");
  for (char const* const owner : {"acme/7", "acme/7/12", "acme/7/3/standing/a", "acme/7-x", "acme/7.", "acme/70",
                                  "acme/6", "acme/71/2", "acme", "other/7/1"}) {
    site.ok(site.store->add_challenges({{where, owner}}, owner));
  }
  site.ok(site.store->remove_challenges_below("acme/7"));
  EXPECT_THAT(site.contents(where.text(), dns::type_txt),
              ElementsAre("\"acme\"", "\"acme/6\"", "\"acme/7-x\"", "\"acme/7.\"", "\"acme/70\"", "\"acme/71/2\"",
                          "\"other/7/1\""));
  std::function<base::Result<database::Rows>(database::Database&)> const explain = [](database::Database& database) {
    return database.query("EXPLAIN QUERY PLAN " + std::string(owners_below_sql), {std::string("acme/7")});
  };
  auto const plan = site.ok(site.store->thread().run<database::Rows>(explain));
  ASSERT_FALSE(plan.empty());
  for (database::Row const& row : plan) {
    EXPECT_THAT(database::text(row[3]), testing::HasSubstr("SEARCH challenge USING PRIMARY KEY (owner>? AND owner<?)"));
  }
}

TEST_F(StoreTenants, challenge_values_are_octets_and_may_be_long) {
  dns::Name const where = name("_acme-challenge.example.org");
  site.ok(site.store->add_challenges({{where, "q\"\\\x01\xff"}, {where, std::string(300, 'x')}}, "o"));
  EXPECT_THAT(
      site.contents(where.text(), dns::type_txt),
      ElementsAre("\"q\\\"\\\\\\001\\255\"", "\"" + std::string(255, 'x') + "\" \"" + std::string(45, 'x') + "\""));
  for (std::string const& content : site.contents(where.text(), dns::type_txt)) {
    EXPECT_EQ(*dns::normalize_content(dns::type_txt, content), content);
  }
}

TEST_F(StoreTenants, challenges_outside_any_zone_or_at_a_cname_are_refused) {
  site.replace("_acme-challenge.c.example.org", dns::type_cname, {"elsewhere."});
  EXPECT_EQ(site.failure(site.store->add_challenges({{name("_acme-challenge.other.net"), "v"}}, "o")).code,
            errc::not_found);
  EXPECT_EQ(site.failure(site.store->add_challenges(
                             {{name("x.example.org"), "v"}, {name("_acme-challenge.c.example.org"), "v"}}, "o"))
                .code,
            errc::refused);
  EXPECT_EQ(site.entry("x.example.org"), nullptr);
  site.ok(site.store->add_challenges({{name("x.example.org"), "v"}}, "o"));
  EXPECT_EQ(site.failure(site.store->replace_rrsets(name("example.org"),
                                                    {{name("x.example.org"), {dns::type_cname, 60, {"a."}}}}))
                .code,
            errc::refused);
}

TEST_F(StoreTenants, a_new_zone_takes_the_challenges_inside_it_and_gives_them_back) {
  dns::Name const where = name("_acme-challenge.sub.example.org");
  site.ok(site.store->add_challenges({{where, "v"}}, "o"));
  site.import_zone(zone_head, "sub.example.org");
  EXPECT_EQ(site.entry(where.text(), "example.org"), nullptr);
  EXPECT_THAT(site.contents(where.text(), dns::type_txt, "sub.example.org"), ElementsAre("\"v\""));
  site.ok(site.store->delete_zone(name("sub.example.org")));
  EXPECT_THAT(site.contents(where.text(), dns::type_txt, "example.org"), ElementsAre("\"v\""));
}

}  // namespace
}  // namespace store
