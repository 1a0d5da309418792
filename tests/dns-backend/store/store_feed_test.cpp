#include "tests/dns-backend/store/store_fixture.hpp"

#include <functional>
#include <random>

namespace store {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

// One step of a follower; whether there was anything.
bool follow(Site& primary, Site& replica, std::size_t rows_max) {
  Position const at = replica.ok(replica.store->position());
  auto changes =
      primary.ok(primary.store->changes(at.revision, rows_max, milliseconds(0), at.revision == 0 ? "" : at.history));
  bool const news = changes.complete || changes.to != at.revision;
  auto const applied = replica.run(replica.store->apply_feed(std::move(changes)));
  EXPECT_TRUE(applied.has_value()) << applied.error().what();
  return news;
}

void catch_up(Site& primary, Site& replica, std::size_t rows_max = 1000) {
  int steps = 0;
  while (replica.store->revision() != primary.store->revision() && ++steps < 10000) {
    ASSERT_TRUE(follow(primary, replica, rows_max));
  }
}

void change_settings(Site& site, std::mt19937& random, std::string const& apex) {
  std::string const address = "192.0.2." + std::to_string(random() % 5);
  if (random() % 2 == 0) {
    site.run(site.store->set_zone_settings(name(apex), {random() % 2 == 0 ? "slave" : "master", {address}, "a"}));
    site.run(site.store->set_checked(static_cast<std::int64_t>(random() % 4), static_cast<std::int64_t>(random())));
  } else {
    site.run(site.store->set_autoprimary({address, "ns.example.org", "a"}));
    site.run(site.store->remove_autoprimary("192.0.2." + std::to_string(random() % 5), "ns.example.org"));
  }
}

void change_metadata(Site& site, std::mt19937& random, std::string const& apex) {
  std::vector<std::string> const settings{random() % 2 == 0 ? "1 0 1 ab" : "1 1 0 -"};
  bool const removes = random() % 2 == 0;
  site.run(site.store->set_metadata(name(apex), random() % 2 == 0 ? "NSEC3PARAM" : "OTHER",
                                    removes ? std::vector<std::string>() : settings));
}

void change_challenges(Site& site, std::string const& owner, std::string const& number) {
  site.run(site.store->add_challenges({{name(owner), "v" + number}}, "o" + number));
}

// Pools in one another, and load balancers over them and over pools of tenants.
void change_steering(Site& site, std::mt19937& random, std::string const& owner) {
  std::string const number = std::to_string(random() % 3);
  steering::Pool pool;
  pool.name = "s" + number;
  pool.origins = {{"a", "192.0.2." + std::to_string(random() % 9)}, {"b" + std::to_string(random() % 3), "192.0.2.9"}};
  pool.pools = random() % 2 == 0
                   ? std::vector<std::string>{random() % 4 == 0 ? "p0" : "s" + std::to_string(random() % 3)}
                   : std::vector<std::string>();
  steering::Balancer balancer;
  balancer.name = name(owner).text();
  balancer.enabled = random() % 5 != 0;
  balancer.default_pools = {random() % 4 == 0 ? "p1" : pool.name};
  switch (random() % 5) {
    case 0:
    case 1:
      site.run(site.store->put_steering(pool));
      break;
    case 2:
    case 3:
      site.run(site.store->put_steering(balancer));
      break;
    default:
      site.run(site.store->delete_steering(steering::Kind::load_balancer, balancer.name));
      site.run(site.store->delete_steering(steering::Kind::pool, pool.name));
  }
}

// A random write that may be refused.
void change(Site& site, std::mt19937& random) {
  static std::vector<std::string> const apexes{"example.org", "example.net", "sub.example.org"};
  std::string const apex = apexes[random() % apexes.size()];
  std::string const number = std::to_string(random() % 5);
  std::string const owner = "n" + number + (random() % 3 == 0 ? ".deep.er." : ".") + apex;
  std::string const label = "t" + number;
  if (random() % 6 == 0) {
    return change_steering(site, random, owner);
  }
  switch (random() % 15) {
    case 0:
      site.run(site.store->import_zone(name(apex), records(zone_head + "i" + number + " A 192.0.2.1\n", apex)));
      break;
    case 1:
      if (random() % 4 == 0) {
        site.run(site.store->delete_zone(name(apex)));
      } else {
        site.run(site.store->import_zone(name(apex), records(zone_head, apex)));
      }
      break;
    case 2:
    case 3:
    case 4:
      site.run(site.store->replace_rrsets(
          name(apex),
          {{name(owner),
            {dns::type_a, 60,
             random() % 3 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"192.0.2." + number}}}}));
      break;
    case 5:
      site.run(site.store->replace_rrsets(
          name(apex),
          {{name("deep.er." + apex),
            {dns::type_ns, 60, random() % 2 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"ns."}}}}));
      break;
    case 6:
      change_metadata(site, random, apex);
      break;
    case 7:
      site.run(site.store->add_key(name(apex), {0, 257, random() % 2 == 0, true, "key" + number}));
      break;
    case 8:
      site.run(site.store->remove_key(name(apex), static_cast<std::int64_t>(random() % 8)));
      break;
    case 9:
      site.run(site.store->create_tenant(tenant_row(label, random() % 2 == 0 ? "p0" : "p1", {"p2"},
                                                    random() % 2 == 0 ? "example.org" : "example.net")));
      break;
    case 10:
      site.run(site.store->delete_tenant(label));
      break;
    case 11: {
      std::vector<PoolRow> pools{pool_row("p0", {"a", "b"}), pool_row("p1", {"c", "b" + number}, 5)};
      if (random() % 2 == 0) {
        pools.push_back(pool_row("p2", {"a" + number}, 9));
      }
      site.run(site.store->set_pools(pools));
      break;
    }
    case 12:
      change_challenges(site, "_acme-challenge." + label + "." + apex, number);
      break;
    case 13:
      change_settings(site, random, apex);
      break;
    default:
      site.run(site.store->remove_challenges("o" + number));
      site.run(site.store->set_ready(static_cast<std::int64_t>(random() % 6), std::vector<std::string>{"a"}));
      break;
  }
}

// The index of balanced names holds exactly what a walk over every zone finds.
void expect_indexed(Snapshot const& snapshot) {
  std::map<std::string, std::set<std::string>> walked;  // endpoint -> names
  std::function<void(pool::Pool const&, std::string const&)> const take = [&](pool::Pool const& pool,
                                                                              std::string const& key) {
    for (pool::Endpoint const& endpoint : pool.endpoints) {
      walked[endpoint.name].insert(key);
    }
    for (pool::PoolPtr const& nested : pool.pools) {
      take(*nested, key);
    }
  };
  snapshot.zones.for_each([&](std::string const&, ZonePtr const& zone) {
    zone->entries.for_each([&](EntryPtr const& entry) {
      for (pool::PoolPtr const& pool : entry->balancer == nullptr ? std::vector<pool::PoolPtr>{}
                                                                  : entry->balancer->pools) {
        take(*pool, entry->key);
      }
    });
  });
  std::set<std::string> endpoints{"a", "b", "c", "s0/a", "s1/a", "s2/a"};
  for (auto const& [endpoint, names] : walked) {
    endpoints.insert(endpoint);
  }
  for (std::string const& endpoint : endpoints) {
    std::set<std::string> found;
    for (std::string const& pool : snapshot.balanced.pools_with(endpoint)) {
      snapshot.balanced.names_of(pool).for_each([&](auto const& item) { found.insert(item->key); });
    }
    ASSERT_EQ(found, walked[endpoint]) << endpoint;
  }
}

TEST(StoreFeed, a_snapshot_changed_step_by_step_equals_a_full_build_and_the_replicas) {
  for (unsigned const seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    Site primary;
    Site close;    // follows every step
    Site distant;  // follows now and then, in small batches
    primary.ok(primary.store->set_pools({pool_row("p0", {"a"}), pool_row("p1", {"b"}, 5), pool_row("p2", {"c"}, 9)}));
    for (auto const* apex : {"example.org", "example.net"}) {
      primary.import_zone(zone_head, apex);
    }
    for (int step = 0; step < 250; ++step) {
      change(primary, random);
      ASSERT_NO_FATAL_FAILURE(expect_indexed(*primary.snapshot())) << "seed " << seed << " step " << step;
      ASSERT_NO_FATAL_FAILURE(catch_up(primary, close));
      ASSERT_NO_FATAL_FAILURE(expect_same(*primary.snapshot(), *close.snapshot()))
          << "seed " << seed << " step " << step;
      if (step % 25 == 24) {
        ASSERT_NO_FATAL_FAILURE(catch_up(primary, distant, 7));
        ASSERT_NO_FATAL_FAILURE(expect_same(*primary.snapshot(), *distant.snapshot()))
            << "seed " << seed << " step " << step;
        // A fresh follower takes everything at once, which is a full build.
        Site fresh;
        auto everything = primary.ok(primary.store->changes(0, 1, milliseconds(0), "another history"));
        ASSERT_TRUE(everything.complete);
        fresh.ok(fresh.store->apply_feed(std::move(everything)));
        ASSERT_NO_FATAL_FAILURE(expect_same(*primary.snapshot(), *fresh.snapshot()))
            << "seed " << seed << " step " << step;
        EXPECT_EQ(fresh.store->revision(), primary.store->revision());
      }
    }
    EXPECT_GT(primary.store->revision(), 100);
  }
}

TEST(StoreFeed, a_replica_tells_its_listeners_what_was_touched) {
  Site primary;
  Site replica;
  replica.store->set_read_only(true);
  primary.import_zone(zone_head + "www A 192.0.2.1\n");
  follow(primary, replica, 1000);
  EXPECT_THAT(replica.touched, ElementsAre(Touched{name("example.org"), true}));
  primary.replace("www.example.org", dns::type_a, {"192.0.2.2"});
  follow(primary, replica, 1000);
  EXPECT_THAT(replica.touched,
              ElementsAre(Touched{name("example.org"), false}, Touched{name("www.example.org"), false}));
  EXPECT_THAT(replica.published, ElementsAre(1, 2));
  EXPECT_THAT(replica.contents("www.example.org", dns::type_a), ElementsAre("192.0.2.2"));
  EXPECT_EQ(replica.failure(replica.store->delete_zone(name("example.org"))).code, errc::read_only);
}

TEST(StoreFeed, a_repeated_batch_changes_nothing) {
  Site primary;
  Site replica;
  primary.import_zone(zone_head);
  auto const changes = primary.ok(primary.store->changes(0, 1000, milliseconds(0)));
  replica.ok(replica.store->apply_feed(changes));
  auto const before = replica.snapshot();
  replica.ok(replica.store->apply_feed(changes));
  EXPECT_EQ(replica.snapshot(), before);
}

TEST(StoreFeed, asking_at_the_newest_revision_without_waiting_yields_nothing) {
  Site site;
  site.import_zone(zone_head);
  auto const changes = site.ok(site.store->changes(1, 1000, milliseconds(0)));
  EXPECT_EQ(changes.to, 1);
  EXPECT_FALSE(changes.complete);
  EXPECT_TRUE(changes.rows.empty());
}

TEST(StoreFeed, a_waiting_follower_hears_of_the_next_revision_at_once) {
  Site site;
  site.import_zone(zone_head);
  std::optional<base::Result<database::Changes>> heard;
  net::asio::co_spawn(
      site.loop, site.store->changes(1, 1000, std::chrono::hours(1)),
      [&heard](std::exception_ptr, base::Result<database::Changes> changes) { heard.emplace(std::move(changes)); });
  // The store thread takes calls in order: the follower looks first. The loop ends only when the follower has its
  // answer: with an hour's deadline that is the wake-up.
  site.replace("www.example.org", dns::type_a, {"192.0.2.1"});
  ASSERT_TRUE(heard.has_value());
  ASSERT_TRUE(heard->has_value());
  EXPECT_EQ((*heard)->from, 1);
  EXPECT_EQ((*heard)->to, 2);
  EXPECT_FALSE((*heard)->rows.empty());
}

TEST(StoreFeed, a_waiting_follower_gets_an_empty_answer_at_its_deadline) {
  Site site;
  site.import_zone(zone_head);
  auto const changes = site.ok(site.store->changes(1, 1000, milliseconds(1)));
  EXPECT_EQ(changes.to, 1);
  EXPECT_TRUE(changes.rows.empty());
}

TEST(StoreFeed, many_waiting_followers_do_not_hold_up_writes) {
  Site site;
  site.import_zone(zone_head);
  int answered = 0;
  for (int i = 0; i < 50; ++i) {
    net::asio::co_spawn(site.loop, site.store->changes(1, 1000, std::chrono::hours(1)),
                        [&answered](std::exception_ptr, base::Result<database::Changes> changes) {
                          answered += changes && changes->to == 2 ? 1 : 0;
                        });
  }
  site.replace("www.example.org", dns::type_a, {"192.0.2.1"});
  EXPECT_EQ(answered, 50);
}

}  // namespace
}  // namespace store
