#include "tests/dns-backend/store/store_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

#include "dns-backend/schema/schema.hpp"

namespace store {
namespace {

using steering::Kind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

steering::Origin origin(std::string label, std::string address) {
  return {std::move(label), std::move(address)};
}

steering::Pool pool_of(std::string label, std::vector<steering::Origin> origins, std::vector<std::string> nested = {}) {
  steering::Pool pool;
  pool.name = std::move(label);
  pool.origins = std::move(origins);
  pool.pools = std::move(nested);
  return pool;
}

steering::Balancer balancer_of(std::string_view owner, std::vector<std::string> pools) {
  steering::Balancer balancer;
  balancer.name = name(owner).text();
  balancer.default_pools = std::move(pools);
  return balancer;
}

class StoreSteering : public testing::Test {
 protected:
  StoreSteering() {
    site.import_zone(zone_head);
    site.ok(site.store->set_pools({pool_row("edge", {"e1"}), pool_row("spare", {"e2"}, 9)}));
    put(pool_of("ams", {origin("a", "198.51.100.1")}));
    put(pool_of("fra", {origin("f", "2001:db8::1")}));
  }
  SteeringOutcome put(steering::Object object) {
    auto outcome = site.ok(site.store->put_steering(std::move(object)));
    EXPECT_THAT(outcome.problems, IsEmpty()) << base::text(outcome.problems);
    return outcome;
  }
  // What is wrong, as texts; nothing was written.
  std::vector<std::string> refused_put(steering::Object object) {
    Revision const before = site.store->revision();
    auto const outcome = site.ok(site.store->put_steering(std::move(object)));
    EXPECT_EQ(site.store->revision(), before);
    std::vector<std::string> texts;
    for (base::Problem const& problem : outcome.problems) {
      texts.push_back(problem.text());
    }
    return texts;
  }
  base::Failure refused_delete(Kind kind, std::string const& object) {
    Revision const before = site.store->revision();
    auto failure = site.failure(site.store->delete_steering(kind, object));
    EXPECT_EQ(site.store->revision(), before);
    return failure;
  }
  base::Failure refused_records(std::string_view owner, dns::RRType type, std::string content) {
    return site.failure(
        site.store->replace_rrsets(name("example.org"), {{name(owner), {type, 60, {std::move(content)}}}}));
  }

  Site site;
};

TEST_F(StoreSteering, a_load_balancer_answers_at_its_name_and_says_what_was_touched) {
  std::uint32_t const serial = site.zone()->serial;
  put(balancer_of("www.example.org", {"ams", "fra"}));
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, Contains(Touched{name("www.example.org"), true}));
  EntryPtr const entry = site.entry("www.example.org");
  ASSERT_NE(entry, nullptr);
  ASSERT_NE(entry->balancer, nullptr);
  EXPECT_EQ(entry->balancer->pools[0]->endpoints[0].name, "ams/a");
  EXPECT_EQ(entry->balancer->pools[0]->endpoints[0].slot, site.health.slot("ams/a"));
  EXPECT_TRUE(entry->balancer_has4);
  EXPECT_TRUE(entry->balancer_has6);
  EXPECT_FALSE(entry->balancer_has_target);
}

TEST_F(StoreSteering, a_refused_write_gives_the_places_of_its_endpoints_back) {
  std::uint32_t const next = site.health.slot("next");
  site.health.give_back("next");
  auto const bad = pool_of("bad", {origin("x", "203.0.113.1"), origin("y", "203.0.113.9")}, {"missing"});
  EXPECT_THAT(refused_put(bad), Not(IsEmpty()));
  put(pool_of("good", {origin("z", "203.0.113.2")}));
  EXPECT_EQ(site.health.slot("good/z"), next) << "the first that was free";
  // The set as a whole, a failure instead of problems, and another caller's body.
  steering::Objects none;
  steering::put(none, pool_of("lost", {origin("l", "203.0.113.3")}, {"missing"}));
  EXPECT_THAT(site.ok(site.store->apply_steering(none)).problems, Not(IsEmpty()));
  Body const fails = [](Write const&) -> base::Result<void> { return refused("as the test says"); };
  site.failure(site.store->write(fails, {"lost/m", "good/z"}));
  put(pool_of("more", {origin("m", "203.0.113.4")}));
  EXPECT_EQ(site.health.slot("more/m"), next + 1);
  EXPECT_EQ(site.health.slot("good/z"), next) << "what was written before stays, whoever fails with it";
  // What was refused once is written the next time, with the place it gets then.
  put(pool_of("bad", {origin("x", "203.0.113.1")}));
  put(balancer_of("www.example.org", {"bad"}));
  EXPECT_EQ(site.entry("www.example.org")->balancer->pools[0]->endpoints[0].slot, site.health.slot("bad/x"));
  EXPECT_EQ(site.health.slot("bad/x"), next + 2);
}

// Two writes with one new name, of which the first is refused.
TEST_F(StoreSteering, a_place_that_another_write_has_too_is_not_given_back) {
  std::uint32_t const next = site.health.slot("next");
  site.health.give_back("next");
  Body const fails = [](Write const&) -> base::Result<void> { return refused("as the test says"); };
  bool refused_first = false;
  auto const first = [](net::Task<base::Result<Revision>> task, bool& failed) -> net::Task<void> {
    failed = !(co_await std::move(task));
  };
  net::asio::co_spawn(site.loop, first(site.store->write(fails, {"shared/s"}), refused_first),
                      [](std::exception_ptr thrown) { EXPECT_FALSE(thrown); });
  put(pool_of("shared", {origin("s", "203.0.113.1")}));
  EXPECT_TRUE(refused_first);
  put(pool_of("other", {origin("o", "203.0.113.2")}));
  EXPECT_EQ(site.health.slot("shared/s"), next);
  EXPECT_EQ(site.health.slot("other/o"), next + 1);
}

TEST_F(StoreSteering, the_apex_and_wildcards_balance_too) {
  put(balancer_of("example.org", {"ams"}));
  EXPECT_THAT(site.touched, Contains(Touched{name("example.org"), false}));
  put(balancer_of("*.app.example.org", {"fra"}));
  EXPECT_THAT(site.touched, Contains(Touched{name("app.example.org"), true}));
  EXPECT_TRUE(site.entry("example.org")->balancer_has4);
  EXPECT_FALSE(site.entry("example.org")->balancer_has6);
  EXPECT_TRUE(site.entry("*.app.example.org")->balancer_has6);
  EXPECT_FALSE(site.contents("example.org", dns::type_soa).empty()) << "what else is at the apex stays";
}

TEST_F(StoreSteering, origins_that_are_names_answer_as_a_cname_and_stand_alone) {
  put(pool_of("cdn", {origin("c", "cdn.example.net.")}));
  put(balancer_of("img.example.org", {"cdn"}));
  EXPECT_TRUE(site.entry("img.example.org")->balancer_has_target);
  EXPECT_THAT(refused_records("img.example.org", dns::type_txt, "\"x\"").detail, HasSubstr("answers with a CNAME"));
  EXPECT_THAT(site.failure(site.store->add_challenges({{name("img.example.org"), "v"}}, "o")).detail,
              HasSubstr("is a CNAME"));
  EXPECT_THAT(refused_put(balancer_of("example.org", {"cdn"})), ElementsAre(HasSubstr("is the apex of a zone")));
  site.replace("txt.example.org", dns::type_txt, {"\"x\""});
  EXPECT_THAT(refused_put(balancer_of("txt.example.org", {"cdn"})), ElementsAre(HasSubstr("has TXT records already")));
}

TEST_F(StoreSteering, only_affected_names_are_touched) {
  put(pool_of("both", {}, {"ams"}));
  put(balancer_of("one.example.org", {"ams"}));
  put(balancer_of("two.example.org", {"fra"}));
  put(balancer_of("three.example.org", {"both"}));
  std::uint32_t const serial = site.zone()->serial;
  auto ams = pool_of("ams", {origin("a", "198.51.100.2")});
  put(ams);
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, ElementsAre(Touched{name("example.org"), false}, Touched{name("one.example.org"), false},
                                        Touched{name("three.example.org"), false}));
  steering::Monitor monitor;
  monitor.name = "web";
  monitor.port = 80;
  put(monitor);
  EXPECT_THAT(site.touched, IsEmpty());
  ams.monitor = "web";
  put(ams);
  EXPECT_THAT(site.touched, IsEmpty()) << "how to check is no answer";
  EXPECT_EQ(site.zone()->serial, serial + 1);
  auto one = balancer_of("one.example.org", {"ams"});
  one.enabled = false;
  put(one);
  EXPECT_EQ(site.entry("one.example.org"), nullptr);
  EXPECT_THAT(site.touched, Contains(Touched{name("one.example.org"), true}));
}

TEST_F(StoreSteering, a_change_of_the_topology_reaches_what_is_balanced_over_it) {
  put(pool_of("all", {origin("x", "198.51.100.9")}, {"edge"}));
  put(balancer_of("www.example.org", {"all"}));
  std::uint32_t const serial = site.zone()->serial;
  PoolRow edge = pool_row("edge", {"e1", "e3"});
  site.ok(site.store->set_pools({edge, pool_row("spare", {"e2"}, 9)}));
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, Contains(Touched{name("www.example.org"), false}));
  EXPECT_THAT(site.entry("www.example.org")->balancer->pools[0]->pools[0]->endpoints, SizeIs(2));
  EXPECT_THAT(site.snapshot()->balanced.pools_with("e3"), ElementsAre("edge"));
  auto const gone = site.failure(site.store->set_pools({pool_row("spare", {"e2"}, 9)}));
  EXPECT_EQ(gone.code, errc::refused);
  EXPECT_THAT(gone.detail, HasSubstr("'edge' is used by pool all (pools)"));
  auto const twice = site.failure(site.store->set_pools({edge, pool_row("ams", {"e5"}, 20)}));
  EXPECT_THAT(twice.detail, HasSubstr("a pool 'ams' of the operator's own"));
  EXPECT_THAT(refused_put(pool_of("edge", {origin("x", "198.51.100.9")})),
              ElementsAre(HasSubstr("the topology has a pool 'edge'")));
  EXPECT_THAT(refused_delete(Kind::pool, "edge").detail, HasSubstr("is the topology's"));
}

TEST_F(StoreSteering, what_is_in_use_cannot_go_and_its_users_are_named) {
  put(balancer_of("www.example.org", {"ams"}));
  auto const used = refused_delete(Kind::pool, "ams");
  EXPECT_EQ(used.code, errc::refused);
  EXPECT_THAT(used.detail, HasSubstr("is used by load_balancer www.example.org. (default_pools)"));
  EXPECT_EQ(refused_delete(Kind::monitor, "none").code, errc::not_found);
  EXPECT_THAT(site.failure(site.store->delete_zone(name("example.org"))).detail, HasSubstr("has load balancers"));
  site.ok(site.store->delete_steering(Kind::load_balancer, "www.example.org."));
  EXPECT_EQ(site.entry("www.example.org"), nullptr);
  EXPECT_THAT(site.touched, Contains(Touched{name("www.example.org"), true}));
  site.ok(site.store->delete_steering(Kind::pool, "ams"));
  EXPECT_FALSE(site.ok(site.store->steering()).pools.contains("ams"));
}

TEST_F(StoreSteering, static_records_and_load_balancers_exclude_each_other) {
  site.replace("taken.example.org", dns::type_a, {"192.0.2.7"});
  site.replace("cut.example.org", dns::type_ns, {"ns.elsewhere."});
  EXPECT_THAT(refused_put(balancer_of("taken.example.org", {"ams"})), ElementsAre(HasSubstr("has A records already")));
  EXPECT_THAT(refused_put(balancer_of("x.cut.example.org", {"ams"})), ElementsAre(HasSubstr("is delegated away")));
  EXPECT_THAT(refused_put(balancer_of("cut.example.org", {"ams"})), ElementsAre(HasSubstr("is delegated away")));
  EXPECT_THAT(refused_put(balancer_of("www.example.com", {"ams"})), ElementsAre(HasSubstr("is in no zone")));
  put(balancer_of("www.app.example.org", {"ams"}));
  EXPECT_THAT(refused_records("www.app.example.org", dns::type_a, "192.0.2.1").detail, HasSubstr("is a load balancer"));
  EXPECT_THAT(refused_records("www.app.example.org", dns::type_cname, "x.").detail, HasSubstr("is a load balancer"));
  EXPECT_THAT(refused_records("app.example.org", dns::type_ns, "ns.elsewhere.").detail, HasSubstr("would hide"));
  EXPECT_THAT(refused_records("app.example.org", dns::type_dname, "elsewhere.").detail, HasSubstr("would hide"));
  site.replace("www.app.example.org", dns::type_txt, {"\"beside\""});
  EXPECT_NE(site.entry("www.app.example.org")->balancer, nullptr);
  EXPECT_THAT(
      site.failure(site.store->import_zone(name("app.example.org"), records(zone_head, "app.example.org"))).detail,
      HasSubstr("would hide the load balancer"));
  put(balancer_of("*.shop.example.org", {"ams"}));
  EXPECT_THAT(site.failure(site.store->create_tenant(tenant_row("shop", "edge"))).detail,
              HasSubstr("'*.shop.example.org.' is a load balancer"));
  site.ok(site.store->create_tenant(tenant_row("tv", "edge")));
  EXPECT_THAT(refused_put(balancer_of("tv.example.org", {"ams"})), ElementsAre(HasSubstr("belongs to tenant 'tv'")));
}

TEST_F(StoreSteering, a_binding_owns_its_type_and_reaches_lookups_replicas_and_caches) {
  constexpr dns::RRType type_svcb{64};
  constexpr dns::RRType type_https{65};
  site.replace("taken.example.org", type_https, {"1 . alpn=h2"});
  auto taken = balancer_of("taken.example.org", {"ams"});
  put(taken);
  EXPECT_FALSE(site.contents("taken.example.org", type_https).empty()) << "beside addresses it may stand";
  taken.service_bindings = {{}};
  EXPECT_THAT(refused_put(taken), ElementsAre(HasSubstr("has HTTPS records already")));

  auto www = balancer_of("www.example.org", {"ams", "fra"});
  put(www);
  std::uint32_t const serial = site.zone()->serial;
  www.service_bindings = {{"HTTPS", 1, ".", {}, {"h2"}, false, 8443, {}, true}};
  put(www);
  EXPECT_EQ(site.zone()->serial, serial + 1);
  EXPECT_THAT(site.touched, Contains(Touched{name("www.example.org"), false}));
  EXPECT_THAT(site.entry("www.example.org")->balancer->bindings,
              ElementsAre(pool::Binding{65, "1 . alpn=h2 port=8443", "", true}));
  EXPECT_THAT(refused_records("www.example.org", type_https, "1 .").detail, HasSubstr("can have no HTTPS records"));
  site.replace("www.example.org", type_svcb, {"1 ."});
  Site replica;
  replica.store->set_read_only(true);
  replica.ok(replica.store->apply_feed(site.ok(site.store->changes(0, 1000, std::chrono::milliseconds(0)))));
  ASSERT_NO_FATAL_FAILURE(expect_same(*site.snapshot(), *replica.snapshot()));
  EXPECT_THAT(replica.entry("www.example.org")->balancer->bindings, SizeIs(1));

  // An origin that is a name would make the answer a CNAME.
  put(pool_of("lone", {origin("l", "198.51.100.9")}));
  auto img = balancer_of("img.example.org", {"lone"});
  img.service_bindings = {{}};
  put(img);
  EXPECT_THAT(refused_put(pool_of("lone", {origin("l", "cdn.example.net.")})),
              ElementsAre(HasSubstr("load_balancers[img.example.org.].service_bindings: cannot stand beside")));
}

TEST_F(StoreSteering, a_zone_below_with_its_own_delegation_is_no_matter) {
  site.import_zone(zone_head, "sub.example.org");
  put(balancer_of("www.sub.example.org", {"ams"}));
  site.replace("sub.example.org", dns::type_ns, {"ns.sub.example.org."});
  EXPECT_NE(site.entry("www.sub.example.org", "sub.example.org")->balancer, nullptr);
  EXPECT_EQ(site.entry("www.sub.example.org"), nullptr);
}

TEST_F(StoreSteering, only_what_is_newly_wrong_is_held_against_one_object) {
  put(balancer_of("www.example.org", {"ams"}));
  // The topology lost an endpoint: a pool that counted on it can never be healthy now.
  auto all = pool_of("all", {}, {"edge"});
  all.minimum_origins = 2;
  site.ok(site.store->set_pools({pool_row("edge", {"e1", "e3"}), pool_row("spare", {"e2"}, 9)}));
  put(all);
  site.ok(site.store->set_pools({pool_row("edge", {"e1"}), pool_row("spare", {"e2"}, 9)}));
  put(pool_of("nyc", {origin("n", "198.51.100.3")}));
  EXPECT_THAT(refused_put(all), IsEmpty()) << "nothing about it is new, and nothing was written";
  auto const outcome = site.ok(site.store->apply_steering(site.ok(site.store->steering())));
  EXPECT_THAT(outcome.problems, ElementsAre(testing::Field(&base::Problem::path, "pools[all].minimum_origins")));
}

TEST_F(StoreSteering, a_whole_set_replaces_the_present_one_in_one_revision_or_not_at_all) {
  steering::Objects wanted;
  steering::put(wanted, pool_of("ams", {origin("a", "198.51.100.1")}));
  steering::put(wanted, pool_of("lon", {origin("l", "198.51.100.4")}));
  steering::put(wanted, balancer_of("www.example.org", {"lon", "ams"}));
  Revision const before = site.store->revision();
  auto const dry = site.ok(site.store->apply_steering(wanted, true));
  EXPECT_THAT(dry.difference.added, ElementsAre("pool lon", "load_balancer www.example.org."));
  EXPECT_THAT(dry.difference.removed, ElementsAre("pool fra"));
  EXPECT_EQ(site.store->revision(), before);
  EXPECT_EQ(site.entry("www.example.org"), nullptr);
  auto const done = site.ok(site.store->apply_steering(wanted));
  EXPECT_EQ(done.difference.added, dry.difference.added);
  EXPECT_EQ(site.store->revision(), before + 1);
  EXPECT_EQ(site.ok(site.store->steering()), wanted);
  EXPECT_NE(site.entry("www.example.org")->balancer, nullptr);
  auto const again = site.ok(site.store->apply_steering(wanted));
  EXPECT_TRUE(again.difference.empty());
  EXPECT_EQ(site.store->revision(), before + 1);
  wanted.pools.erase("lon");
  EXPECT_THAT(site.ok(site.store->apply_steering(wanted)).problems, SizeIs(1));
  EXPECT_EQ(site.store->revision(), before + 1);
}

TEST_F(StoreSteering, a_replica_answers_alike_and_refuses_writes) {
  put(pool_of("both", {}, {"ams", "edge"}));
  put(balancer_of("www.example.org", {"both", "fra"}));
  Site replica;
  replica.store->set_read_only(true);
  replica.ok(replica.store->apply_feed(site.ok(site.store->changes(0, 1000, std::chrono::milliseconds(0)))));
  ASSERT_NO_FATAL_FAILURE(expect_same(*site.snapshot(), *replica.snapshot()));
  auto const& pools = replica.entry("www.example.org")->balancer->pools;
  EXPECT_EQ(pools[0]->pools[0]->endpoints[0].slot, replica.health.slot("ams/a"));
  EXPECT_EQ(replica.failure(replica.store->put_steering(pool_of("x", {origin("a", "192.0.2.1")}))).code,
            errc::read_only);
}

TEST_F(StoreSteering, a_process_that_has_seen_too_many_origins_refuses_more_and_goes_on) {
  std::size_t rounds = 0;
  for (; rounds < 8; ++rounds) {
    auto wide = pool_of("wide", {});
    for (int i = 0; i < 9000; ++i) {
      wide.origins.push_back(origin("r" + std::to_string(rounds) + "-" + std::to_string(i), "198.51.100.7"));
    }
    auto const done = site.run(site.store->put_steering(wide));
    if (!done) {
      EXPECT_EQ(done.error().code, errc::refused);
      EXPECT_THAT(done.error().detail, HasSubstr("until it is restarted"));
      break;
    }
  }
  EXPECT_EQ(rounds, 6U);
  put(pool_of("ams", {origin("a", "198.51.100.8")}));
}

TEST_F(StoreSteering, tenants_exhaust_no_more_than_their_part_and_a_feed_is_refused_instead_of_ending_the_process) {
  auto const names = [](std::string const& head, int count) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i) {
      out.push_back(head + std::to_string(i));
    }
    return out;
  };
  auto const tenants_write = [&](std::string const& head, int count) {
    Body body = [](Write const&) { return base::Result<void>(); };
    return site.run(site.store->write(std::move(body), names(head, count)));
  };
  EXPECT_TRUE(tenants_write("tenant-1/", 45000));
  EXPECT_THAT(tenants_write("tenant-2/", 1000).error().detail, HasSubstr("until it is restarted"));
  auto wide = pool_of("wide", {});
  for (std::string const& label : names("o", 9000)) {
    wide.origins.push_back(origin(label, "198.51.100.7"));
  }
  put(wide);
  database::Changes changes;
  for (std::string const& endpoint : names("far-", 12000)) {
    database::Change change;
    change.table = "endpoint";
    change.key = {{"name", endpoint}};
    change.values = {{"pool", std::string("edge")}};
    changes.rows.push_back(std::move(change));
  }
  EXPECT_EQ(site.failure(site.store->apply_feed(std::move(changes))).code, errc::refused);
}

TEST(StoreSteeringFile, a_store_of_version_2_is_migrated_and_objects_survive_a_restart) {
  test::TemporaryFolder const folder;
  std::string const url = "sqlite://" + folder.file("navigator.db");
  database::Schema version_2 = schema();
  version_2.migrations.resize(2);
  ASSERT_EQ(version_2.replicated[11].table, "steering");
  version_2.replicated.resize(11);
  {
    auto old = database::Database::open(url, {version_2}).value();
    auto const written = old->write([](database::Transaction& transaction) -> base::Result<void> {
      for (auto const* sql : {"INSERT INTO zone (apex, serial, kind) VALUES ('example.org.', 9, 'native')",
                              R"(INSERT INTO rrset VALUES (1, 'example.org.', 6, 60, '["ns. host. 0 2 3 4 5"]'))",
                              R"(INSERT INTO rrset VALUES (1, 'example.org.', 2, 60, '["ns."]'))"}) {
        if (auto done = transaction.execute(sql); !done) {
          return done.error();
        }
      }
      return {};
    });
    ASSERT_TRUE(written) << written.error().what();
  }
  steering::Objects wanted;
  steering::put(wanted, pool_of("ams", {origin("a", "198.51.100.1")}));
  steering::put(wanted, balancer_of("www.example.org", {"ams"}));
  {
    Site site(url);
    EXPECT_EQ(site.ok(site.store->steering()), steering::Objects());
    EXPECT_EQ(site.zone()->serial, 9U);
    EXPECT_THAT(site.ok(site.store->apply_steering(wanted)).problems, IsEmpty());
  }
  EXPECT_TRUE(database::Database::open("sqlite://" + folder.file("navigator.db.before-store-5"), {version_2}));
  Site again(url);
  EXPECT_EQ(again.ok(again.store->steering()), wanted);
  EXPECT_NE(again.entry("www.example.org")->balancer, nullptr);
  EXPECT_THAT(again.snapshot()->balanced.pools_with("ams/a"), ElementsAre("ams"));
}

}  // namespace
}  // namespace store
