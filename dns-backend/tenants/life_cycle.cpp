#include "dns-backend/tenants/life_cycle.hpp"

#include "dns-backend/tenants/fit.hpp"
#include "dns-backend/tenants/journal.hpp"
#include "dns-backend/tenants/label.hpp"
#include "dns-backend/tenants/records.hpp"
#include "dns-backend/writes/challenges.hpp"
#include "dns-backend/writes/rules.hpp"

#include <algorithm>
#include <set>

namespace tenants {

using store::errc;
using store::refused;
using store::Tenant;
using store::Write;

namespace {

base::Result<void> check_label(Write const& write, std::string const& label, std::int64_t own_id) {
  LabelVerdict const verdict = read_label(label);
  if (!verdict.problem.empty() || verdict.label != label) {
    std::string const why = verdict.problem.empty() ? "it is written '" + verdict.label + "'" : verdict.problem;
    return refused("'" + label + "' cannot be a tenant: " + why);
  }
  if (Tenant const* const other = write.model.tenant_by_any(label); other != nullptr && other->id != own_id) {
    return base::fail(errc::exists, "there is a tenant '" + label + "'");
  }
  if (write.model.has_pool(label)) {
    return refused("'" + label + "' cannot be a tenant: it is the name of a cluster");
  }
  return {};
}

base::Result<void> check_clusters(Write const& write, Policy const& policy, Tenant const& tenant) {
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
  Plan const* const plan = find_plan(policy, tenant.plan);
  if (plan == nullptr) {
    return refused("there is no plan '" + tenant.plan + "': " + names_of_plans(policy));
  }
  if (tenant.backups.size() > plan->backups) {
    return store::over_quota("the plan '" + tenant.plan + "' has " + std::to_string(plan->backups) +
                             " backup clusters at most");
  }
  for (std::string const& pool : pools) {
    if (!plan->clusters.empty() && std::ranges::find(plan->clusters, pool) == plan->clusters.end()) {
      return store::over_quota("the plan '" + tenant.plan + "' does not have the cluster '" + pool + "'");
    }
  }
  return {};
}

// Nothing static may answer in the tenant's place.
base::Result<void> check_free(store::Zone const& zone, dns::Name const& name) {
  store::EntryPtr const entry = zone.find(name);
  if (entry == nullptr) {
    return {};
  }
  if (entry->below_cut) {
    return refused("'" + name.text() + "' is delegated away");
  }
  for (dns::RRset const& rrset : entry->rrsets) {
    if (store::takes_addresses(rrset.type)) {
      return refused("'" + name.text() + "' has " + dns::to_text(rrset.type) + " records already");
    }
  }
  return {};
}

base::Result<void> check_names(Write const& write, store::ZoneRow const& zone, std::string const& label) {
  auto const name = zone.apex.child(label);
  auto const wildcard = name ? name->child("*") : name;
  if (!wildcard) {
    return wildcard.error();
  }
  auto const* const below = write.snapshot.zones.lower_bound(name->key());
  if (below != nullptr && below->value->apex.is_within(*name)) {
    return refused("'" + below->value->apex.text() + "' is a zone of its own");
  }
  // Whatever is below the label becomes the tenant's, to change and to go with it.
  auto const others = records_within(write, zone, *name);
  if (!others) {
    return others.error();
  }
  for (dns::OwnedRRset const& one : *others) {
    if (one.owner != *name && one.owner != *wildcard) {
      return refused("'" + one.owner.text() + "' has " + dns::to_text(one.rrset.type) +
                     " records already: they would become the tenant's");
    }
  }
  if (auto const balancers = write.model.balancer_names(*name); !balancers.empty()) {
    return refused("'" + balancers.front().text() + "' is a load balancer");
  }
  for (dns::Name const& one : {*name, *wildcard}) {
    if (auto const fine = check_free(*write.snapshot.zone_by_id(zone.id), one); !fine) {
      return fine;
    }
  }
  return {};
}

base::Result<store::ZoneRow> zone_of(Write const& write, std::string const& apex) {
  auto const name = dns::Name::parse(apex);
  return name ? write.zone(*name) : name.error();
}

base::Result<void> check_state(std::string const& state) {
  return state == "active" || state == "suspended"
             ? base::Result<void>()
             : refused("'" + state + "' is no state of a tenant: active or suspended");
}

// Both labels answer from this commit on.
base::Result<void> rename(Write const& write, Tenant& tenant, std::string const& label, std::int64_t until_ms) {
  auto const zone = zone_of(write, tenant.zone);
  if (!zone) {
    return zone.error();
  }
  if (auto const fine = check_label(write, label, tenant.id); !fine) {
    return fine;
  }
  bool const back = std::ranges::find(tenant.former, label, &store::FormerLabel::label) != tenant.former.end();
  if (auto const fine = back ? base::Result<void>() : check_names(write, *zone, label); !fine) {
    return fine;
  }
  // Back to a former label: it is the present one again, and nothing of it must be taken away later.
  for (auto const* sql : {"DELETE FROM former_label WHERE label = ? AND tenant_id = ?",
                          "DELETE FROM tenant_intent WHERE kind = 'retire' AND label = ? AND tenant_id = ?"}) {
    if (auto const done = write.run(sql, {label, tenant.id}); !done) {
      return done;
    }
  }
  auto const done = write.run("INSERT INTO former_label (label, tenant_id, zone, until_ms) VALUES (?, ?, ?, ?)",
                              {tenant.label, tenant.id, tenant.zone, until_ms});
  if (!done) {
    return done;
  }
  if (auto const copied = copy_records(write, *zone, *store::tenant_name(tenant.label, tenant.zone),
                                       *store::tenant_name(label, tenant.zone), back);
      !copied) {
    return copied;
  }
  if (auto const noted = note(write, tenant.id, "ensure", label); !noted) {
    return noted;
  }
  if (auto const noted = note(write, tenant.id, "retire", tenant.label, until_ms); !noted) {
    return noted;
  }
  tenant.label = label;
  return {};
}

base::Result<void> apply_change(Write const& write, Policy const& policy, Tenant& tenant, TenantChange const& wanted,
                                std::int64_t now_ms, base::Problems& excess) {
  if (wanted.label && *wanted.label != tenant.label) {
    std::int64_t const until_ms = now_ms + wanted.overlap_ms.value_or(policy.overlap_ms);
    if (auto const done = rename(write, tenant, *wanted.label, until_ms); !done) {
      return done;
    }
  }
  if (wanted.state) {
    if (auto const fine = check_state(*wanted.state); !fine) {
      return fine;
    }
    tenant.state = *wanted.state;
  }
  bool const moves = wanted.plan && *wanted.plan != tenant.plan;
  tenant.plan = wanted.plan.value_or(tenant.plan);
  tenant.primary = wanted.primary.value_or(tenant.primary);
  tenant.backups = wanted.backups.value_or(tenant.backups);
  bool const placed = wanted.plan || wanted.primary || wanted.backups;
  if (auto const fine = placed ? check_clusters(write, policy, tenant) : base::Result<void>(); !fine) {
    return fine;
  }
  return moves ? check_fits(write, policy, tenant, now_ms, excess) : base::Result<void>();
}

base::Result<void> remove_rows(Write const& write, Tenant const& tenant) {
  for (auto const* sql :
       {"DELETE FROM steering WHERE name LIKE 'tenant-' || ? || '/%'", "DELETE FROM readiness WHERE tenant_id = ?",
        "DELETE FROM former_label WHERE tenant_id = ?",
        "DELETE FROM domain_check WHERE domain_id IN (SELECT id FROM domain WHERE tenant_id = ?)",
        "DELETE FROM domain WHERE tenant_id = ?",
        "DELETE FROM challenge_account_value WHERE slug IN (SELECT slug FROM challenge_account WHERE tenant_id = ?)",
        "DELETE FROM kept_answer WHERE actor IN (SELECT 'token:' || id FROM token WHERE tenant_id = ?)",
        "DELETE FROM token WHERE tenant_id = ?", "DELETE FROM tenant_intent WHERE tenant_id = ?",
        "DELETE FROM tenant_applied WHERE tenant_id = ?", "DELETE FROM tenant WHERE id = ?"}) {
    if (auto const done = write.run(sql, {tenant.id}); !done) {
      return done;
    }
  }
  auto const slugs = write.transaction.query("SELECT slug FROM challenge_account WHERE tenant_id = ?", {tenant.id});
  if (!slugs) {
    return slugs.error();
  }
  for (database::Row const& row : *slugs) {
    if (auto const done = store::remove_challenges(write, "acme-dns/" + database::text(row[0])); !done) {
      return done;
    }
  }
  return write.run("DELETE FROM challenge_account WHERE tenant_id = ?", {tenant.id});
}

}  // namespace

std::int64_t next_revision(Write const& write) {
  return write.snapshot.revision + 1;
}

base::Result<void> touch(Write const& write, std::int64_t tenant_id) {
  return write.run("UPDATE tenant SET changed_at = ? WHERE id = ?", {next_revision(write), tenant_id});
}

base::Result<Tenant> expect(Write const& write, std::string const& label, Circumstances const& when) {
  Tenant const* const tenant = write.model.tenant(label);
  if (tenant == nullptr) {
    return base::fail(errc::not_found, "there is no tenant '" + label + "'");
  }
  if (when.if_match && *when.if_match != tenant->changed_at) {
    return base::fail(errc::changed, "it is at revision " + std::to_string(tenant->changed_at) + ", not " +
                                         std::to_string(*when.if_match) + ": read it again");
  }
  return *tenant;
}

base::Result<void> create(Write const& write, Policy const& policy, Tenant& tenant) {
  if (auto const fine = check_label(write, tenant.label, 0); !fine) {
    return fine;
  }
  if (auto const fine = check_state(tenant.state); !fine) {
    return fine;
  }
  auto const zone = zone_of(write, tenant.zone);
  if (!zone) {
    return zone.error();
  }
  tenant.zone = zone->apex.text();
  if (auto const fine = check_clusters(write, policy, tenant); !fine) {
    return fine;
  }
  if (auto const fine = check_names(write, *zone, tenant.label); !fine) {
    return fine;
  }
  tenant.changed_at = next_revision(write);
  auto const made = write.run(
      "INSERT INTO tenant (label, zone, plan, primary_pool, backups, state, created_at_ms, changed_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {tenant.label, tenant.zone, tenant.plan, tenant.primary, store::to_json(tenant.backups), tenant.state,
       tenant.created_at_ms, tenant.changed_at});
  if (!made) {
    return made;
  }
  tenant.id = write.transaction.last_insert_id();
  if (auto const noted = note(write, tenant.id, "ensure", tenant.label); !noted) {
    return noted;
  }
  return write.raise_serial(*zone);
}

base::Result<void> change(Write const& write, Policy const& policy, std::string const& label,
                          TenantChange const& wanted, Circumstances const& when, base::Problems& excess) {
  auto tenant = expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  Tenant const before = *tenant;
  if (auto const done = apply_change(write, policy, *tenant, wanted, when.now_ms, excess); !done) {
    return done;
  }
  bool const same = before.label == tenant->label && before.state == tenant->state && before.plan == tenant->plan &&
                    before.primary == tenant->primary && before.backups == tenant->backups;
  if (same) {
    return {};
  }
  auto const done = write.run(
      "UPDATE tenant SET label = ?, state = ?, plan = ?, primary_pool = ?, backups = ?, changed_at = ? WHERE id = ?",
      {tenant->label, tenant->state, tenant->plan, tenant->primary, store::to_json(tenant->backups),
       next_revision(write), tenant->id});
  return done ? raise_serials(write, zones_of(write, *tenant)) : done;
}

base::Result<void> remove(Write const& write, std::string const& label, Circumstances const& when) {
  auto const tenant = expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  auto const zone = zone_of(write, tenant->zone);
  if (!zone) {
    return zone.error();
  }
  std::set<std::string> const apexes = zones_of(write, *tenant);
  std::vector<std::string> labels{tenant->label};
  for (store::FormerLabel const& former : tenant->former) {
    labels.push_back(former.label);
  }
  for (std::string const& one : labels) {
    if (auto const done = remove_records(write, *zone, *store::tenant_name(one, tenant->zone)); !done) {
      return done;
    }
  }
  if (auto const done = remove_rows(write, *tenant); !done) {
    return done;
  }
  if (auto const noted = note(write, tenant->id, "withdraw", tenant->label); !noted) {
    return noted;
  }
  return raise_serials(write, apexes);
}

}  // namespace tenants
