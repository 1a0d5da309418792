#include "dns-backend/tenants/fit.hpp"

#include "dns-backend/tenants/records.hpp"
#include "dns-backend/writes/rules.hpp"

#include <algorithm>

namespace tenants {

using database::integer;
using store::Tenant;
using store::Write;

namespace {

class Measure {
 public:
  Measure(Plan const& plan, base::Problems& excess) : plan_(plan), excess_(excess) {}
  // `undo`: what makes room, with one of them as it is called.
  void hold(std::string const& what, std::uint32_t most, std::size_t there, std::string const& undo) {
    if (there > most) {
      excess_.push_back({{"request body", 0, 0},
                         "plan",
                         "the plan '" + plan_.name + "' has " + std::to_string(most) + " " + what +
                             " at most, and there are " + std::to_string(there),
                         undo + " " + std::to_string(there - most) + " of them first, or choose another plan"});
    }
  }

 private:
  Plan const& plan_;
  base::Problems& excess_;
};

base::Result<std::size_t> count(Write const& write, char const* sql, std::vector<database::Value> const& parameters) {
  auto const rows = write.transaction.query(sql, parameters);
  return rows ? base::Result<std::size_t>(static_cast<std::size_t>(integer(rows->front()[0]))) : rows.error();
}

// As the tables were before this write: a rename in the same one copies them and adds none.
base::Result<std::size_t> count_records(Write const& write, std::int64_t tenant_id) {
  Tenant const& present = write.model.tenants().at(tenant_id);
  auto const apex = dns::Name::parse(present.zone);
  store::ZoneRow const* const zone = apex ? write.model.zone(*apex) : nullptr;
  auto const name = store::tenant_name(present.label, present.zone);
  if (zone == nullptr || !name) {
    return std::size_t{0};
  }
  auto const records = records_within(write, *zone, *name);
  return records ? base::Result<std::size_t>(records->size()) : records.error();
}

void hold_pools(Write const& write, Plan const& plan, std::int64_t tenant_id, Measure& measure) {
  std::string const head = "tenant-" + std::to_string(tenant_id) + "/";
  auto const& pools = write.model.steering().pools;
  std::size_t there = 0;
  for (auto at = pools.lower_bound(head); at != pools.end() && at->first.starts_with(head); ++at) {
    ++there;
    measure.hold("origins in a pool", plan.origins, at->second.origins.size(),
                 "take from the pool '" + at->second.title + "'");
  }
  measure.hold("pools", plan.pools, there, "delete");
}

}  // namespace

base::Result<void> check_fits(Write const& write, Policy const& policy, Tenant const& tenant, std::int64_t now_ms,
                              base::Problems& excess) {
  Plan const* const plan = find_plan(policy, tenant.plan);
  if (plan == nullptr) {
    return store::refused("there is no plan '" + tenant.plan + "': " + names_of_plans(policy));
  }
  auto const records = count_records(write, tenant.id);
  auto const registrations = count(write, "SELECT count(*) FROM challenge_account WHERE tenant_id = ?", {tenant.id});
  auto const tokens = count(write,
                            "SELECT count(*) FROM token WHERE tenant_id = ? AND revoked_at_ms = 0 AND (expires_at_ms "
                            "= 0 OR expires_at_ms > ?)",
                            {tenant.id, now_ms});
  for (auto const* const one : {&records, &registrations, &tokens}) {
    if (!*one) {
      return one->error();
    }
  }
  Measure measure(*plan, excess);
  measure.hold("RRsets", plan->records, *records, "delete");
  measure.hold("domains", plan->domains, write.model.domain_ids_of(tenant.id).size(), "give up");
  measure.hold("registrations (its domains)", plan->domains, *registrations, "delete");
  measure.hold("tokens", plan->tokens, *tokens, "revoke");
  hold_pools(write, *plan, tenant.id, measure);
  return excess.empty() ? base::Result<void>() : store::refused(base::text(excess));
}

base::Result<void> take_slug(Write const& write, Policy const& policy, std::int64_t tenant_id, std::string const& slug,
                             std::int64_t now_ms, std::int64_t& wait_ms) {
  constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
  if (policy.claims_per_day != 0) {
    // The one that has to be a day old before there is room for another.
    auto const rows = write.transaction.query(
        "SELECT at_ms FROM slug WHERE tenant_id = ? AND at_ms > ? ORDER BY at_ms DESC LIMIT 1 OFFSET ?",
        {tenant_id, now_ms - day_ms, std::int64_t{policy.claims_per_day} - 1});
    if (!rows) {
      return rows.error();
    }
    if (!rows->empty()) {
      wait_ms = std::max<std::int64_t>(integer(rows->front()[0]) + day_ms - now_ms, 1);
      return base::fail(store::errc::too_many, "a tenant has " + std::to_string(policy.claims_per_day) +
                                                   " new domains and registrations within a day at most");
    }
  }
  return write.run("INSERT INTO slug (slug, tenant_id, at_ms) VALUES (?, ?, ?)", {slug, tenant_id, now_ms});
}

}  // namespace tenants
