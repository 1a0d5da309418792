#include "dns-backend/tenant_pools/write.hpp"

#include "dns-backend/tenants/records.hpp"
#include "dns-backend/writes/rules.hpp"
#include "dns-backend/writes/steering.hpp"

#include <algorithm>
#include <set>

namespace tenant_pools {
namespace {

using store::Tenant;
using store::Write;

base::Problem problem(std::string field, std::string message, std::string hint) {
  return {{"request body", 0, 0}, std::move(field), std::move(message), std::move(hint)};
}

// Why the pool cannot answer at a name of the tenant's; empty: it can.
std::string why_not_at(Write const& write, Tenant const& tenant, dns::Name const& name) {
  store::ZoneRow const* const zone = write.model.enclosing(name);
  if (zone == nullptr || zone->apex.text() != tenant.zone) {
    return "is in a zone of its own";
  }
  if (write.model.balancer_at(name) != nullptr) {
    return "is a load balancer";
  }
  auto const served = write.snapshot.zone_by_id(zone->id);
  store::EntryPtr const entry = served == nullptr ? nullptr : served->find(name);
  if (entry == nullptr) {
    return {};
  }
  if (entry->cut || entry->below_cut) {
    return "is delegated away";
  }
  for (dns::RRset const& rrset : entry->rrsets) {
    if (store::takes_addresses(rrset.type)) {
      return "has " + dns::to_text(rrset.type) + " records already";
    }
  }
  return {};
}

void look_at_names(Write const& write, Tenant const& tenant, Wish const& wish, base::Problems& problems) {
  std::vector<std::string> labels{tenant.label};
  for (store::FormerLabel const& former : tenant.former) {
    labels.push_back(former.label);
  }
  auto const& names = wish.wanted.pool.names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string const field = "names[" + std::to_string(i) + "]";
    for (auto const& [row, pool] : wish.seen.pools) {
      if (row != wish.wanted.pool.name && std::ranges::find(pool.names, names[i]) != pool.names.end()) {
        problems.push_back(problem(field, "'" + names[i] + "' is answered by the pool '" + pool.title + "'",
                                   "a name has one pool: take it out of the other first"));
      }
    }
    for (std::string const& label : labels) {
      auto const top = store::tenant_name(label, tenant.zone);
      auto const name = top ? store::name_within(*top, names[i]) : top;
      std::string const why = name ? why_not_at(write, tenant, *name) : "would be too long";
      if (!why.empty()) {
        problems.push_back(problem(field, "'" + (name ? name->text() : names[i]) + "' " + why,
                                   "delete what is there, or choose another name"));
        break;
      }
    }
  }
}

// The platform's machines, wherever they are: a tenant has no business to have them checked.
void look_at_addresses(Write const& write, Wish const& wish, base::Problems& problems) {
  std::set<std::string> own;
  for (store::PoolRow const& pool : write.model.pools()) {
    for (auto const& endpoint : pool.endpoints) {
      own.insert({endpoint.address4, endpoint.address6, endpoint.probe_address});
    }
  }
  own.erase("");
  auto const& origins = wish.wanted.pool.origins;
  for (std::size_t i = 0; i < origins.size(); ++i) {
    for (auto const& [key, address] : {std::pair("address", origins[i].address), {"address6", origins[i].address6}}) {
      if (own.contains(address)) {
        problems.push_back(problem("origins[" + std::to_string(i) + "]." + key,
                                   "'" + address + "' cannot be an origin: it is the platform's own",
                                   "the platform's clusters are the tenant's primary and backups"));
      }
    }
  }
}

base::Result<void> check_room(Write const& write, Wish const& wish) {
  std::size_t count = wish.wanted.pool.origins.size();
  for (auto const& [name, pool] : write.model.steering().pools) {
    count += steering::tenant_of(name) && name != wish.wanted.pool.name ? pool.origins.size() : 0;
  }
  return count <= origins_of_all_max
             ? base::Result<void>()
             : store::refused("the platform checks at most " + std::to_string(origins_of_all_max) +
                              " origins of tenants, and has them all");
}

base::Result<void> changed(Write const& write, Tenant const& tenant) {
  // Its domains that are served here answer by its pools too.
  if (auto const raised = store::raise_serials(write, tenants::zones_of(write, tenant)); !raised) {
    return raised;
  }
  return tenants::touch(write, tenant.id);
}

// Numbers that origins of the pool get: the same for the same address and port, and for new ones none that the pool has
// just given up, whose health is not theirs.
void number_origins(steering::Pool const* before, std::vector<steering::Origin>& origins) {
  std::set<std::string> taken;
  for (steering::Origin const& old : before == nullptr ? std::vector<steering::Origin>() : before->origins) {
    taken.insert(old.name);
  }
  unsigned next = 0;
  for (steering::Origin& origin : origins) {
    origin.name.clear();
    if (before != nullptr) {
      auto const old = std::ranges::find_if(before->origins, [&origin](steering::Origin const& one) {
        return one.address == origin.address && one.port == origin.port;
      });
      origin.name = old == before->origins.end() ? "" : old->name;
    }
    while (origin.name.empty()) {
      std::string number = std::to_string(++next);
      origin.name = taken.contains(number) ? "" : std::move(number);
    }
  }
}

}  // namespace

steering::Objects own_of(steering::Objects const& objects, std::int64_t tenant) {
  steering::Objects own;
  auto const take = [tenant](auto const& from, auto& to) {
    std::string const head = "tenant-" + std::to_string(tenant) + "/";
    for (auto at = from.lower_bound(head); at != from.end() && at->first.starts_with(head); ++at) {
      to.insert(*at);
    }
  };
  take(objects.pools, own.pools);
  take(objects.monitors, own.monitors);
  return own;
}

steering::Pool const* find(steering::Objects const& own, std::string const& title) {
  auto const found = std::ranges::find_if(own.pools, [&title](auto const& item) { return item.second.title == title; });
  return found == own.pools.end() ? nullptr : &found->second;
}

base::Result<Wanted> place(steering::Objects const& own, std::int64_t tenant, Wanted wanted,
                           tenants::Plan const& plan) {
  steering::Pool const* const before = find(own, wanted.pool.title);
  if (before == nullptr && own.pools.size() >= plan.pools) {
    return store::over_quota("the plan has " + std::to_string(plan.pools) + " pools at most");
  }
  std::string name = before == nullptr ? "" : before->name;
  for (unsigned number = 1; name.empty(); ++number) {
    std::string const free = steering::tenant_object(tenant, number);
    name = own.pools.contains(free) ? "" : free;
  }
  wanted.pool.name = name;
  wanted.pool.monitor = name;
  wanted.monitor.name = name;
  number_origins(before, wanted.pool.origins);
  return wanted;
}

base::Result<std::int64_t> put(Write const& write, Wish const& wish, tenants::Circumstances const& when,
                               base::Problems& problems) {
  auto const tenant = tenants::expect(write, wish.label, when);
  if (!tenant) {
    return tenant.error();
  }
  steering::Objects const own = own_of(write.model.steering(), tenant->id);
  if (!(own == wish.seen) || steering::tenant_of(wish.wanted.pool.name) != tenant->id) {
    return base::fail(store::errc::changed, "another request changed the tenant's pools: ask again");
  }
  look_at_names(write, *tenant, wish, problems);
  look_at_addresses(write, wish, problems);
  if (!problems.empty()) {
    return tenant->changed_at;
  }
  if (auto const room = check_room(write, wish); !room) {
    return room.error();
  }
  steering::Objects after = own;
  steering::put(after, wish.wanted.pool);
  steering::put(after, wish.wanted.monitor);
  if (after == own) {
    return tenant->changed_at;
  }
  for (steering::Object const& object : {steering::Object(wish.wanted.pool), steering::Object(wish.wanted.monitor)}) {
    if (auto const done = store::put_object(write, object); !done) {
      return done.error();
    }
  }
  if (auto const done = changed(write, *tenant); !done) {
    return done.error();
  }
  return tenants::next_revision(write);
}

base::Result<void> remove(Write const& write, std::string const& label, std::string const& title,
                          steering::Objects const& seen, tenants::Circumstances const& when) {
  auto const tenant = tenants::expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  steering::Objects const own = own_of(write.model.steering(), tenant->id);
  if (!(own == seen)) {
    return base::fail(store::errc::changed, "another request changed the tenant's pools: ask again");
  }
  steering::Pool const* const pool = find(own, title);
  if (pool == nullptr) {
    return base::fail(store::errc::not_found, "there is no pool '" + title + "'");
  }
  for (steering::Kind const kind : {steering::Kind::pool, steering::Kind::monitor}) {
    if (auto const done = store::delete_object(write, kind, pool->name); !done) {
      return done;
    }
  }
  return changed(write, *tenant);
}

}  // namespace tenant_pools
