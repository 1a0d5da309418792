// A Store on a database in memory and a loop that runs one call at a time.
#pragma once

#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <gmock/gmock.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace store {

inline dns::Name name(std::string_view text) {
  return dns::Name::parse(text).value();
}

inline std::vector<dns::OwnedRRset> records(std::string const& text, std::string_view apex = "example.org") {
  auto const zone = dns::parse_zone_file(text, "test", name(apex));
  EXPECT_TRUE(zone.has_value()) << (zone ? "" : base::text(zone.error()));
  return zone ? *zone : std::vector<dns::OwnedRRset>{};
}

// SOA with serial 1 and one name server.
inline std::string const zone_head = "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n";

class Site {
 public:
  explicit Site(std::string const& url = "sqlite://:memory:", std::vector<database::Schema> others = {}) {
    auto opened = Store::open(url, std::move(others), health, loop.get_executor());
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().what());
    store = std::move(*opened);
    store->on_publish([this](Revision revision, std::vector<Touched> names) {
      published.push_back(revision);
      touched = std::move(names);
    });
  }

  // Runs the task and everything it causes.
  template <class T>
  base::Result<T> run(net::Task<base::Result<T>> task) {
    touched.clear();
    std::optional<base::Result<T>> result;
    auto const done = [&result](std::exception_ptr thrown, base::Result<T> value) {
      EXPECT_FALSE(thrown);
      result.emplace(std::move(value));
    };
    net::asio::co_spawn(loop, std::move(task), done);
    loop.restart();
    loop.run();
    return std::move(*result);
  }
  template <class T>
  T ok(net::Task<base::Result<T>> task) {
    auto result = run(std::move(task));
    EXPECT_TRUE(result.has_value()) << result.error().what();
    if constexpr (!std::is_void_v<T>) {
      return result.has_value() ? std::move(*result) : T{};
    }
  }
  // The code and the sentence of a failure.
  template <class T>
  base::Failure failure(net::Task<base::Result<T>> task) {
    auto const result = run(std::move(task));
    EXPECT_TRUE(result.has_error());
    return result.has_error() ? result.error() : base::Failure{};
  }

  Revision import_zone(std::string const& text, std::string_view apex = "example.org") {
    return ok(store->import_zone(name(apex), records(text, apex)));
  }
  Revision replace(std::string_view owner, dns::RRType type, std::vector<std::string> contents,
                   std::string_view apex = "example.org") {
    return ok(store->replace_rrsets(name(apex), {{name(owner), {type, 60, std::move(contents)}}}));
  }
  std::shared_ptr<Snapshot const> snapshot() { return store->published().copy(); }
  ZonePtr zone(std::string_view apex = "example.org") { return snapshot()->zone(name(apex)); }
  EntryPtr entry(std::string_view owner, std::string_view apex = "example.org") {
    ZonePtr const found = zone(apex);
    return found == nullptr ? nullptr : found->find(name(owner));
  }
  std::vector<std::string> contents(std::string_view owner, dns::RRType type, std::string_view apex = "example.org") {
    EntryPtr const found = entry(owner, apex);
    for (dns::RRset const& rrset : found == nullptr ? std::vector<dns::RRset>{} : found->rrsets) {
      if (rrset.type == type) {
        return rrset.contents;
      }
    }
    return {};
  }

  net::asio::io_context loop{1};
  pool::HealthTable health;
  std::unique_ptr<Store> store;
  std::vector<Revision> published;
  std::vector<Touched> touched;  // of the last publication
};

inline PoolRow pool_row(std::string const& pool, std::vector<std::string> const& endpoints, int number = 1) {
  PoolRow row;
  row.name = pool;
  row.site = pool + "-site";
  for (std::string const& endpoint : endpoints) {
    PoolRow::EndpointRow made;
    made.name = endpoint;
    made.address4 = "192.0.2." + std::to_string(number++);
    made.probe_address = made.address4;
    row.endpoints.push_back(made);
  }
  return row;
}

inline Tenant tenant_row(std::string const& label, std::string const& primary, std::vector<std::string> backups = {},
                         std::string const& zone = "example.org.") {
  Tenant tenant;
  tenant.label = label;
  tenant.zone = zone;
  tenant.plan = "basic";
  tenant.primary = primary;
  tenant.backups = std::move(backups);
  tenant.created_at_ms = 1;
  return tenant;
}

// Deep, and without slots, which are a process's own.
inline bool same_answers(std::vector<pool::PoolPtr> const& a, std::vector<pool::PoolPtr> const& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](pool::PoolPtr const& one, pool::PoolPtr const& two) {
    if (one == nullptr || two == nullptr) {
      return one == two;
    }
    pool::Pool left = *one;
    pool::Pool right = *two;
    for (pool::Pool* const pool : {&left, &right}) {
      pool->pools.clear();
      for (pool::Endpoint& endpoint : pool->endpoints) {
        endpoint.slot = 0;
      }
    }
    return left == right && same_answers(one->pools, two->pools);
  });
}

// Every fact of two snapshots but their revision and object identities.
inline void expect_same(Snapshot const& a, Snapshot const& b) {
  auto const same_keys = [](std::vector<Key> const& x, std::vector<Key> const& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](Key const& one, Key const& two) {
      return one.id == two.id && one.flags == two.flags && one.active == two.active && one.published == two.published &&
             one.content == two.content;
    });
  };
  auto const same_entry = [](Entry const& x, Entry const& y) {
    if ((x.balancer == nullptr) != (y.balancer == nullptr)) {
      return false;
    }
    if (x.balancer != nullptr) {
      bool const same_pools = same_answers(x.balancer->pools, y.balancer->pools) &&
                              same_answers({x.balancer->fallback_pool}, {y.balancer->fallback_pool}) &&
                              x.balancer_has_target == y.balancer_has_target;
      if (!same_pools || x.balancer->ready != y.balancer->ready || x.balancer->ttl != y.balancer->ttl) {
        return false;
      }
    }
    return x.key == y.key && x.rrsets == y.rrsets && x.balancer_has4 == y.balancer_has4 &&
           x.balancer_has6 == y.balancer_has6 && x.cut == y.cut && x.below_cut == y.below_cut;
  };
  auto const same_names = [&same_entry](Zone const& x, Zone const& y) {
    ASSERT_EQ(x.entries.size(), y.entries.size());
    x.entries.for_each([&](EntryPtr const& entry) {
      EntryPtr const* const other = y.entries.find(entry->key);
      ASSERT_NE(other, nullptr) << entry->name().text();
      ASSERT_TRUE(same_entry(*entry, **other)) << entry->name().text();
    });
    ASSERT_EQ(x.nsec3.size(), y.nsec3.size());
    x.nsec3.for_each([&](std::string const& hash, EntryPtr const& entry) {
      EntryPtr const* const other = y.nsec3.find(hash);
      ASSERT_NE(other, nullptr) << entry->name().text();
      ASSERT_TRUE(same_entry(*entry, **other)) << entry->name().text();
    });
  };
  ASSERT_EQ(a.zones.size(), b.zones.size());
  ASSERT_EQ(a.zones_by_id.size(), b.zones_by_id.size());
  a.zones.for_each([&](std::string const& key, ZonePtr const& zone) {
    ZonePtr const* const other = b.zones.find(key);
    ASSERT_NE(other, nullptr) << zone->apex.text();
    ASSERT_EQ(zone->id, (*other)->id);
    ASSERT_EQ(zone->serial, (*other)->serial) << zone->apex.text();
    ASSERT_EQ(zone->notified_serial, (*other)->notified_serial);
    ASSERT_EQ(zone->kind, (*other)->kind);
    ASSERT_EQ(zone->masters, (*other)->masters);
    ASSERT_EQ(zone->account, (*other)->account);
    ASSERT_EQ(zone->last_check_s, (*other)->last_check_s);
    ASSERT_EQ(zone->metadata, (*other)->metadata);
    ASSERT_TRUE(same_keys(zone->keys, (*other)->keys));
    ASSERT_NO_FATAL_FAILURE(same_names(*zone, **other));
    ASSERT_EQ(a.zone_by_id(zone->id), zone);
  });
  ASSERT_EQ(a.tsig_keys.size(), b.tsig_keys.size());
  ASSERT_EQ(a.autoprimaries.size(), b.autoprimaries.size());
}

}  // namespace store
