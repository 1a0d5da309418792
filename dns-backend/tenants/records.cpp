#include "dns-backend/tenants/records.hpp"

#include "dns-backend/writes/rules.hpp"
#include "dns-backend/writes/zones.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace tenants {

using store::refused;
using store::Write;

namespace {

constexpr dns::RRType type_tlsa{52};
constexpr dns::RRType type_sshfp{44};
constexpr dns::RRType type_svcb{64};
constexpr dns::RRType type_https{65};

// The same name below another one. Fails when that is too long.
base::Result<dns::Name> moved(dns::Name const& owner, dns::Name const& from, dns::Name const& to) {
  if (owner == from) {
    return to;
  }
  std::string relative = owner.relative_to(from);
  relative.pop_back();
  return dns::Name::parse(relative, to);
}

// How many RRsets the tenant has once `rrsets` are set.
base::Result<std::size_t> count_after(Write const& write, store::ZoneRow const& zone, dns::Name const& name,
                                      std::vector<dns::OwnedRRset> const& rrsets) {
  auto const before = records_within(write, zone, name);
  if (!before) {
    return before.error();
  }
  std::set<std::pair<dns::Name, dns::RRType>> sets;
  for (dns::OwnedRRset const& one : *before) {
    sets.emplace(one.owner, one.rrset.type);
  }
  for (dns::OwnedRRset const& one : rrsets) {
    if (one.rrset.contents.empty()) {
      sets.erase({one.owner, one.rrset.type});
    } else {
      sets.emplace(one.owner, one.rrset.type);
    }
  }
  return sets.size();
}

// The CNAME's target at `name` as it will be: by `rrsets`, else as it is stored.
base::Result<std::optional<dns::Name>> alias_after(Write const& write, dns::Name const& name,
                                                   std::vector<dns::OwnedRRset> const& rrsets) {
  auto const is_set = [&name](dns::OwnedRRset const& one) {
    return one.owner == name && one.rrset.type == dns::type_cname;
  };
  dns::RRset alias;
  if (auto const wanted = std::ranges::find_if(rrsets, is_set); wanted != rrsets.end()) {
    alias = wanted->rrset;
  } else if (store::ZoneRow const* const zone = write.model.enclosing(name); zone != nullptr) {
    auto const stored = store::rrsets_at(write, zone->id, name);
    if (!stored) {
      return stored.error();
    }
    auto const found = std::ranges::find(*stored, dns::type_cname, &dns::RRset::type);
    alias = found == stored->end() ? alias : *found;
  }
  if (alias.contents.empty()) {
    return std::optional<dns::Name>{};
  }
  auto const target = dns::Name::parse(alias.contents.front());
  return target ? std::optional<dns::Name>(*target) : std::nullopt;
}

}  // namespace

base::Result<std::string> alias_loop(Write const& write, std::vector<dns::OwnedRRset> const& rrsets) {
  constexpr int steps_max = 16;  // as many as resolvers follow
  for (dns::OwnedRRset const& one : rrsets) {
    if (one.rrset.type != dns::type_cname || one.rrset.contents.empty()) {
      continue;
    }
    std::string path = one.owner.text();
    dns::Name at = one.owner;
    for (int step = 0; step < steps_max; ++step) {
      auto const next = alias_after(write, at, rrsets);
      if (!next) {
        return next.error();
      }
      if (!*next) {
        break;
      }
      at = **next;
      path += " -> " + at.text();
      if (at == one.owner) {
        return path;
      }
    }
  }
  return std::string();
}

bool is_tenant_type(dns::RRType type) {
  static constexpr std::array<dns::RRType, 11> types{dns::type_a,  dns::type_aaaa, dns::type_cname, dns::type_txt,
                                                     dns::type_mx, dns::type_srv,  dns::type_caa,   type_tlsa,
                                                     type_sshfp,   type_svcb,      type_https};
  return std::ranges::find(types, type) != types.end();
}

base::Result<std::vector<dns::OwnedRRset>> records_within(Write const& write, store::ZoneRow const& zone,
                                                          dns::Name const& name) {
  std::vector<dns::Name> owners;
  auto const served = write.snapshot.zone_by_id(zone.id);
  if (served == nullptr) {
    return std::vector<dns::OwnedRRset>{};
  }
  served->entries.for_each_from(name.key(), [&](store::EntryPtr const& entry) {
    dns::Name const owner = entry->name();
    if (!owner.is_within(name)) {
      return false;
    }
    owners.push_back(owner);
    return true;
  });
  std::vector<dns::OwnedRRset> out;
  for (dns::Name const& owner : owners) {
    auto rrsets = store::rrsets_at(write, zone.id, owner);
    if (!rrsets) {
      return rrsets.error();
    }
    for (dns::RRset& rrset : *rrsets) {
      out.push_back({owner, std::move(rrset)});
    }
  }
  return out;
}

base::Result<void> set_records(Write const& write, Policy const& policy, std::string const& label,
                               std::vector<dns::OwnedRRset> const& rrsets, Circumstances const& when) {
  auto const tenant = expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  auto const name = store::tenant_name(tenant->label, tenant->zone);
  auto const zone = write.zone(dns::Name::parse(tenant->zone).value());
  if (!zone) {
    return zone.error();
  }
  std::vector<dns::OwnedRRset> wanted = rrsets;
  for (dns::OwnedRRset const& one : wanted) {
    if (!one.owner.is_within(*name)) {
      return refused("'" + one.owner.text() + "' is not within '" + name->text() + "'");
    }
    if (!is_tenant_type(one.rrset.type)) {
      return refused("tenants have no " + dns::to_text(one.rrset.type) + " records");
    }
  }
  // While both labels answer, both have the records.
  for (store::FormerLabel const& former : tenant->former) {
    auto const old = store::tenant_name(former.label, former.zone);
    for (dns::OwnedRRset const& one : rrsets) {
      if (auto const owner = moved(one.owner, *name, *old); owner && former.zone == tenant->zone) {
        wanted.push_back({*owner, one.rrset});
      }
    }
  }
  if (auto const loop = alias_loop(write, wanted); !loop || !loop->empty()) {
    return loop ? refused("the CNAME leads back to itself: " + *loop) : loop.error();
  }
  Plan const* const plan = find_plan(policy, tenant->plan);
  bool const adds = std::ranges::any_of(rrsets, [](auto const& one) { return !one.rrset.contents.empty(); });
  auto const count = count_after(write, *zone, *name, rrsets);
  if (!count) {
    return count.error();
  }
  if (adds && plan != nullptr && *count > plan->records) {
    return store::over_quota("the plan '" + tenant->plan + "' has " + std::to_string(plan->records) +
                             " RRsets at most");
  }
  if (auto const done = store::replace_rrsets(write, zone->apex, wanted); !done) {
    return done;
  }
  return touch(write, tenant->id);
}

base::Result<void> copy_records(Write const& write, store::ZoneRow const& zone, dns::Name const& from,
                                dns::Name const& to, bool replace) {
  auto records = records_within(write, zone, from);
  if (!records) {
    return records.error();
  }
  for (dns::OwnedRRset const& one : *records) {
    auto const owner = moved(one.owner, from, to);
    if (!owner) {
      return refused("'" + one.owner.text() + "' below '" + to.text() + "' would be too long");
    }
    auto const present = store::rrsets_at(write, zone.id, *owner);
    if (!present) {
      return present.error();
    }
    bool const others = std::ranges::any_of(*present, [&one](dns::RRset const& there) {
      return there.type == one.rrset.type && there.contents != one.rrset.contents;
    });
    if (others && !replace) {
      return refused("'" + owner->text() + "' has other " + dns::to_text(one.rrset.type) + " records already");
    }
    auto const done = write.run(
        "INSERT INTO rrset (zone_id, owner, type, ttl, contents) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "ttl = excluded.ttl, contents = excluded.contents",
        {zone.id, owner->text(), std::int64_t{one.rrset.type.value}, std::int64_t{one.rrset.ttl},
         store::to_json(one.rrset.contents)});
    if (!done) {
      return done;
    }
  }
  return {};
}

base::Result<void> remove_records(Write const& write, store::ZoneRow const& zone, dns::Name const& name) {
  auto const records = records_within(write, zone, name);
  if (!records) {
    return records.error();
  }
  for (dns::OwnedRRset const& one : *records) {
    if (auto const done = write.run("DELETE FROM rrset WHERE zone_id = ? AND owner = ?", {zone.id, one.owner.text()});
        !done) {
      return done;
    }
  }
  return {};
}

std::set<std::string> zones_of(store::Write const& write, store::Tenant const& tenant) {
  std::set<std::string> apexes{tenant.zone};
  for (store::Domain const* const domain : write.model.domains_of(tenant.id)) {
    auto const name = dns::Name::parse(domain->name);
    store::ZoneRow const* const zone = name && !name->is_root() ? write.model.enclosing(*name) : nullptr;
    if (zone != nullptr) {
      apexes.insert(zone->apex.text());
    }
  }
  return apexes;
}

}  // namespace tenants
