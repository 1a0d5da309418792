// Pools, tenants, challenges and readiness: what a write checks and which rows it makes.
#include "dns-backend/store/state.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>

namespace store {
namespace {

// --- pools ---

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

base::Result<void> pools_body(Write const& write, std::vector<PoolRow> pools) {
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

// --- tenants ---

// Empty, or why nobody may be called so.
std::string check_label(std::string const& label) {
  static std::set<std::string, std::less<>> const reserved{
      "acme", "admin",     "administrator", "api",       "autoconfig", "autodiscover", "dns",     "ftp",    "health",
      "imap", "internal",  "isatap",        "ldap",      "localhost",  "mail",         "metrics", "mx",     "navigator",
      "ns",   "pop",       "postmaster",    "privateer", "root",       "security",     "smtp",    "status", "support",
      "vpn",  "webmaster", "wpad",          "www"};
  bool const characters = std::all_of(
      label.begin(), label.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (label.empty() || label.size() > 63 || !characters || label.front() == '-' || label.back() == '-') {
    return "a label has 1 to 63 of a-z, 0-9 and '-', and '-' neither first nor last";
  }
  if (label.size() > 3 && label[2] == '-' && label[3] == '-' && !label.starts_with("xn--")) {
    return "'--' in the third place is kept for encodings (RFC 5891 4.2.3.1)";
  }
  bool const name_server = label.starts_with("ns") &&
                           std::all_of(label.begin() + 2, label.end(), [](char c) { return c >= '0' && c <= '9'; });
  return name_server || reserved.contains(label) ? "the label is reserved" : "";
}

base::Result<void> check_pools_of(Write const& write, Tenant const& tenant) {
  std::vector<std::string> pools{tenant.primary};
  pools.insert(pools.end(), tenant.backups.begin(), tenant.backups.end());
  std::set<std::string> seen;
  for (std::string const& pool : pools) {
    if (!write.model.has_pool(pool)) {
      return base::fail(errc::not_found, "there is no pool '" + pool + "'");
    }
    if (!seen.insert(pool).second) {
      return refused("the pool '" + pool + "' is named twice; primary and backups must differ");
    }
  }
  return {};
}

// Nothing static may answer in the tenant's place.
base::Result<void> check_free(Zone const& zone, dns::Name const& name) {
  EntryPtr const entry = zone.find(name);
  if (entry == nullptr) {
    return {};
  }
  if (entry->below_cut) {
    return refused("'" + name.text() + "' is delegated away");
  }
  for (dns::RRset const& rrset : entry->rrsets) {
    if (takes_addresses(rrset.type)) {
      return refused("'" + name.text() + "' has " + dns::to_text(rrset.type) + " records already");
    }
  }
  return {};
}

base::Result<void> create_body(Write const& write, Tenant& tenant) {
  if (std::string const why = check_label(tenant.label); !why.empty()) {
    return refused("'" + tenant.label + "' cannot be a tenant: " + why);
  }
  if (write.model.tenant(tenant.label) != nullptr) {
    return base::fail(errc::exists, "there is a tenant '" + tenant.label + "'");
  }
  if (tenant.state != "active" && tenant.state != "suspended") {
    return refused("'" + tenant.state + "' is no state of a tenant: active or suspended");
  }
  auto const apex = dns::Name::parse(tenant.zone);
  auto const zone = apex ? write.zone(*apex) : apex.error();
  if (!zone) {
    return zone.error();
  }
  tenant.zone = zone->apex.text();
  if (auto const pools = check_pools_of(write, tenant); !pools) {
    return pools;
  }
  auto const name = zone->apex.child(tenant.label);
  auto const wildcard = name ? name->child("*") : name;
  if (!wildcard) {
    return wildcard.error();
  }
  auto const* const below = write.snapshot.zones.lower_bound(name->key());
  if (below != nullptr && below->value->apex.is_within(*name)) {
    return refused("'" + below->value->apex.text() + "' is a zone of its own");
  }
  for (dns::Name const& one : {*name, *wildcard}) {
    if (write.model.balancer_at(one) != nullptr) {
      return refused("'" + one.text() + "' is a load balancer");
    }
    if (auto const fine = check_free(*write.snapshot.zone_by_id(zone->id), one); !fine) {
      return fine;
    }
  }
  auto const made = write.run(
      "INSERT INTO tenant (label, zone, plan, primary_pool, backups, state, created_at_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      {tenant.label, tenant.zone, tenant.plan, tenant.primary, to_json(tenant.backups), tenant.state,
       tenant.created_at_ms});
  if (!made) {
    return made;
  }
  tenant.id = write.transaction.last_insert_id();
  return write.raise_serial(*zone);
}

base::Result<void> delete_body(Write const& write, std::string const& label) {
  Tenant const* const tenant = write.model.tenant(label);
  if (tenant == nullptr) {
    return base::fail(errc::not_found, "there is no tenant '" + label + "'");
  }
  for (auto const* sql : {"DELETE FROM readiness WHERE tenant_id = ?", "DELETE FROM tenant WHERE id = ?"}) {
    if (auto const done = write.run(sql, {tenant->id}); !done) {
      return done;
    }
  }
  return raise_serials(write, {tenant->zone});
}

// --- challenges ---

base::Result<void> add_challenges_body(Write const& write, std::vector<std::pair<dns::Name, std::string>> const& values,
                                       std::string const& owner) {
  std::set<std::string> apexes;
  for (auto const& [name, value] : values) {
    ZoneRow const* const zone = write.model.enclosing(name);
    if (zone == nullptr) {
      return base::fail(errc::not_found, "'" + name.text() + "' is in no zone of this store");
    }
    EntryPtr const entry = write.snapshot.zone_by_id(zone->id)->find(name);
    bool const cname = entry != nullptr && std::any_of(entry->rrsets.begin(), entry->rrsets.end(),
                                                       [](auto const& one) { return one.type == dns::type_cname; });
    steering::Balancer const* const balancer = write.model.balancer_at(name);
    if (cname || (balancer != nullptr && steering::answers_cname(write.model.steering(), *balancer))) {
      return refused("'" + name.text() + "' is a CNAME: put the value where it leads");
    }
    auto const added = write.transaction.execute(
        "INSERT OR IGNORE INTO challenge (owner, name, value) VALUES (?, ?, ?)", {owner, name.text(), value});
    if (!added) {
      return added.error();
    }
    if (*added > 0) {
      apexes.insert(zone->apex.text());
    }
  }
  return raise_serials(write, apexes);
}

base::Result<void> remove_challenges_body(Write const& write, std::string const& owner) {
  auto const rows = write.transaction.query("SELECT DISTINCT name FROM challenge WHERE owner = ?", {owner});
  if (!rows) {
    return rows.error();
  }
  std::set<std::string> apexes;
  for (database::Row const& row : *rows) {
    auto const name = dns::Name::parse(database::text(row[0]));
    ZoneRow const* const zone = name ? write.model.enclosing(*name) : nullptr;
    if (zone != nullptr) {
      apexes.insert(zone->apex.text());
    }
  }
  if (auto const done = write.run("DELETE FROM challenge WHERE owner = ?", {owner}); !done) {
    return done;
  }
  return raise_serials(write, apexes);
}

}  // namespace

net::Task<base::Result<Revision>> Store::set_pools(std::vector<PoolRow> wanted) {
  constexpr std::size_t endpoints_max = 10000;  // slots are never given back (HealthTable)
  std::vector<std::string> endpoints;
  for (PoolRow const& pool : wanted) {
    for (PoolRow::EndpointRow const& endpoint : pool.endpoints) {
      endpoints.push_back(endpoint.name);
    }
  }
  if (endpoints.size() > endpoints_max) {
    co_return refused("more than " + std::to_string(endpoints_max) + " endpoints");
  }
  Body body = [state = state_.get(), slots = state_->slots_of(endpoints),
               wanted = std::move(wanted)](Write const& write) {
    state->builder.know_slots(slots);
    return pools_body(write, wanted);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<std::vector<PoolRow>>> Store::pools() {
  std::function<base::Result<std::vector<PoolRow>>(database::Database&)> const work =
      [state = state_.get()](database::Database&) -> base::Result<std::vector<PoolRow>> {
    return state->builder.model().pools();
  };
  co_return co_await state_->thread->run<std::vector<PoolRow>>(work);
}

net::Task<base::Result<Tenant>> Store::create_tenant(Tenant tenant) {
  if (tenant.created_at_ms == 0) {
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    tenant.created_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  auto const made = std::make_shared<Tenant>(std::move(tenant));
  Body body = [made](Write const& write) { return create_body(write, *made); };
  auto const written = co_await state_->write(std::move(body));
  if (!written) {
    co_return written.error();
  }
  co_return *made;
}

net::Task<base::Result<Revision>> Store::delete_tenant(std::string label) {
  Body body = [label](Write const& write) { return delete_body(write, label); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<std::vector<Tenant>>> Store::tenants() {
  std::function<base::Result<std::vector<Tenant>>(database::Database&)> const work =
      [state = state_.get()](database::Database&) -> base::Result<std::vector<Tenant>> {
    std::vector<Tenant> list;
    for (auto const& [id, tenant] : state->builder.model().tenants()) {
      list.push_back(tenant);
    }
    return list;
  };
  co_return co_await state_->thread->run<std::vector<Tenant>>(work);
}

net::Task<base::Result<Revision>> Store::add_challenges(std::vector<std::pair<dns::Name, std::string>> values,
                                                        std::string owner) {
  Body body = [values = std::move(values), owner](Write const& write) {
    return add_challenges_body(write, values, owner);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::remove_challenges(std::string owner) {
  Body body = [owner](Write const& write) { return remove_challenges_body(write, owner); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_ready(std::int64_t tenant_id,
                                                   std::optional<std::vector<std::string>> endpoints) {
  Body body = [tenant_id, endpoints](Write const& write) -> base::Result<void> {
    if (!write.model.tenants().contains(tenant_id)) {
      return base::fail(errc::not_found, "there is no tenant with id " + std::to_string(tenant_id));
    }
    if (!endpoints) {
      return write.run("DELETE FROM readiness WHERE tenant_id = ?", {tenant_id});
    }
    std::set<std::string> const sorted(endpoints->begin(), endpoints->end());
    return write.run(
        "INSERT INTO readiness (tenant_id, endpoints) VALUES (?, ?) "
        "ON CONFLICT (tenant_id) DO UPDATE SET endpoints = excluded.endpoints",
        {tenant_id, to_json({sorted.begin(), sorted.end()})});
  };
  co_return co_await state_->write(std::move(body));
}

}  // namespace store
