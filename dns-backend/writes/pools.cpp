// The topology's pools: what a change of them must pass and which rows it makes.
#include "dns-backend/writes/pools.hpp"

#include "dns-backend/writes/rules.hpp"
#include "dns-backend/writes/steering.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace store {
namespace {

void check_endpoint(PoolRow& pool, PoolRow::EndpointRow& endpoint, std::set<std::string>& names,
                    std::vector<std::string>& problems) {
  std::string const where = "pool '" + pool.name + "', endpoint '" + endpoint.name + "': ";
  if (endpoint.name.empty() || !names.insert(endpoint.name).second) {
    problems.push_back(where + "the name is empty or given twice");
  }
  auto const address = [&](std::string& text, dns::RRType type) {
    if (text.empty()) {
      return;
    }
    auto const content = dns::normalize_content(type, text);
    if (content) {
      text = *content;
    } else {
      problems.push_back(where + content.error().detail);
    }
  };
  address(endpoint.address4, dns::type_a);
  address(endpoint.address6, dns::type_aaaa);
}

// All that is wrong with the wanted pools; addresses are normalised on the way.
std::vector<std::string> check_pools(std::vector<PoolRow>& pools) {
  static constexpr std::array<std::string_view, 4> types{"tcp", "http", "https", "dns"};
  std::vector<std::string> problems;
  std::set<std::string> names;
  for (PoolRow& pool : pools) {
    std::string const where = "pool '" + pool.name + "': ";
    if (pool.name.empty() || !names.insert(pool.name).second) {
      problems.push_back(where + "the name is empty or given twice");
    }
    if (std::find(types.begin(), types.end(), pool.type) == types.end()) {
      problems.push_back(where + "'" + pool.type + "' is no kind of check: tcp, http, https or dns");
    }
    if (pool.interval_ms == 0 || pool.timeout_ms == 0 || pool.consecutive_up == 0 || pool.consecutive_down == 0) {
      problems.push_back(where + "interval, timeout and both counts must be above 0");
    }
    std::set<std::string> endpoints;
    for (PoolRow::EndpointRow& endpoint : pool.endpoints) {
      check_endpoint(pool, endpoint, endpoints, problems);
    }
  }
  return problems;
}

base::Result<void> put_pool(Write const& write, PoolRow const& pool, std::int64_t position) {
  auto const done = write.run(
      "INSERT INTO pool (name, position, site, minimum_origins, type, port, method, path, host, expected_codes, "
      "expected_body, interval_ms, timeout_ms, consecutive_up, consecutive_down) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
      "position = excluded.position, site = excluded.site, minimum_origins = excluded.minimum_origins, "
      "type = excluded.type, port = excluded.port, method = excluded.method, path = excluded.path, "
      "host = excluded.host, expected_codes = excluded.expected_codes, expected_body = excluded.expected_body, "
      "interval_ms = excluded.interval_ms, timeout_ms = excluded.timeout_ms, "
      "consecutive_up = excluded.consecutive_up, consecutive_down = excluded.consecutive_down",
      {pool.name, position, pool.site, std::int64_t{pool.minimum_origins}, pool.type, std::int64_t{pool.port},
       pool.method, pool.path, pool.host, pool.expected_codes, pool.expected_body, std::int64_t{pool.interval_ms},
       std::int64_t{pool.timeout_ms}, std::int64_t{pool.consecutive_up}, std::int64_t{pool.consecutive_down}});
  if (!done) {
    return done;
  }
  std::int64_t place = 0;
  for (PoolRow::EndpointRow const& endpoint : pool.endpoints) {
    auto const put = write.run(
        "INSERT INTO endpoint (pool, name, position, address4, address6, probe_address, enabled, weight) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pool, name) DO UPDATE SET position = excluded.position, "
        "address4 = excluded.address4, address6 = excluded.address6, probe_address = excluded.probe_address, "
        "enabled = excluded.enabled, weight = excluded.weight",
        {pool.name, endpoint.name, place++, endpoint.address4, endpoint.address6, endpoint.probe_address,
         std::int64_t{endpoint.enabled}, std::int64_t{endpoint.weight}});
    if (!put) {
      return put;
    }
  }
  return {};
}

// What lookups see of a pool; a change of the check alone changes no answer.
bool same_answers(PoolRow const& a, PoolRow const& b) {
  auto const same = [](PoolRow::EndpointRow const& x, PoolRow::EndpointRow const& y) {
    return x.name == y.name && x.address4 == y.address4 && x.address6 == y.address6 && x.enabled == y.enabled &&
           x.weight == y.weight;
  };
  return a.site == b.site && a.minimum_origins == b.minimum_origins &&
         std::equal(a.endpoints.begin(), a.endpoints.end(), b.endpoints.begin(), b.endpoints.end(), same);
}

bool uses(Tenant const& tenant, std::set<std::string> const& pools) {
  return pools.contains(tenant.primary) || std::any_of(tenant.backups.begin(), tenant.backups.end(),
                                                       [&pools](auto const& name) { return pools.contains(name); });
}

base::Result<void> remove_missing(Write const& write, std::map<std::string, PoolRow const*> const& wanted,
                                  std::vector<PoolRow> const& present) {
  for (PoolRow const& old : present) {
    auto const next = wanted.find(old.name);
    if (next == wanted.end()) {
      for (auto const* sql : {"DELETE FROM endpoint WHERE pool = ?", "DELETE FROM pool WHERE name = ?"}) {
        if (auto const done = write.run(sql, {old.name}); !done) {
          return done;
        }
      }
      continue;
    }
    for (PoolRow::EndpointRow const& endpoint : old.endpoints) {
      auto const& kept = next->second->endpoints;
      bool const stays =
          std::any_of(kept.begin(), kept.end(), [&endpoint](auto const& one) { return one.name == endpoint.name; });
      if (!stays) {
        if (auto const done = write.run("DELETE FROM endpoint WHERE pool = ? AND name = ?", {old.name, endpoint.name});
            !done) {
          return done;
        }
      }
    }
  }
  return {};
}

}  // namespace

base::Result<void> set_pools(Write const& write, std::vector<PoolRow> pools) {
  if (auto const problems = check_pools(pools); !problems.empty()) {
    std::string text;
    for (std::string const& problem : problems) {
      text += (text.empty() ? "" : "; ") + problem;
    }
    return refused(std::move(text));
  }
  std::map<std::string, PoolRow const*> wanted;
  for (PoolRow const& pool : pools) {
    wanted[pool.name] = &pool;
  }
  std::vector<PoolRow> const present = write.model.pools();
  std::set<std::string> changed;
  for (PoolRow const& old : present) {
    auto const next = wanted.find(old.name);
    if (next == wanted.end() || !same_answers(old, *next->second)) {
      changed.insert(old.name);
    }
  }
  std::set<std::string> apexes;
  for (auto const& [id, tenant] : write.model.tenants()) {
    if (!wanted.contains(tenant.primary)) {
      return refused("the pool '" + tenant.primary + "' is the primary of tenant '" + tenant.label + "'");
    }
    if (uses(tenant, changed)) {
      apexes.insert(tenant.zone);
    }
  }
  if (auto const fine = check_steering_without(write, wanted); !fine) {
    return fine;
  }
  if (auto const named = zones_answering_from(write, changed); !named.empty()) {
    apexes.insert(named.begin(), named.end());
  }
  if (auto const removed = remove_missing(write, wanted, present); !removed) {
    return removed;
  }
  std::int64_t position = 0;
  for (PoolRow const& pool : pools) {
    if (auto const put = put_pool(write, pool, position++); !put) {
      return put;
    }
  }
  return raise_serials(write, apexes);
}

}  // namespace store
