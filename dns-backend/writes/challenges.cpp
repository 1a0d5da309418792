// Challenge values and readiness: what a write checks and which rows it makes.
#include "dns-backend/writes/challenges.hpp"

#include "dns-backend/steering/check.hpp"
#include "dns-backend/writes/rules.hpp"

#include <algorithm>
#include <set>

namespace store {

base::Result<void> add_challenges(Write const& write, std::vector<std::pair<dns::Name, std::string>> const& values,
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

base::Result<void> remove_challenges(Write const& write, std::string const& owner) {
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

base::Result<void> remove_challenges_below(Write const& write, std::string const& owner) {
  auto const owners = write.transaction.query(owners_below_sql, {owner});
  if (!owners) {
    return owners.error();
  }
  for (database::Row const& row : *owners) {
    if (auto const removed = remove_challenges(write, database::text(row[0])); !removed) {
      return removed;
    }
  }
  return {};
}

base::Result<void> sweep_challenges(Write const& write, std::string const& infix, std::set<std::string> const& keep) {
  auto const owners =
      write.transaction.query("SELECT DISTINCT owner FROM challenge WHERE instr(owner, ?1 || '/') > 0", {infix});
  if (!owners) {
    return owners.error();
  }
  for (database::Row const& row : *owners) {
    std::string const owner = database::text(row[0]);
    if (keep.contains(owner.substr(owner.find(infix + "/") + infix.size() + 1))) {
      continue;
    }
    if (auto const removed = remove_challenges(write, owner); !removed) {
      return removed;
    }
  }
  return {};
}

base::Result<void> set_challenges(Write const& write, std::vector<std::pair<dns::Name, std::string>> const& values,
                                  std::string const& owner) {
  auto const rows = write.transaction.query("SELECT name, value FROM challenge WHERE owner = ?", {owner});
  if (!rows) {
    return rows.error();
  }
  std::set<std::pair<std::string, std::string>> present;
  std::set<std::pair<std::string, std::string>> wanted;
  for (database::Row const& row : *rows) {
    present.emplace(database::text(row[0]), database::text(row[1]));
  }
  for (auto const& [name, value] : values) {
    wanted.emplace(name.text(), value);
  }
  if (present == wanted) {
    return {};
  }
  if (auto const removed = remove_challenges(write, owner); !removed) {
    return removed;
  }
  return add_challenges(write, values, owner);
}

base::Result<void> set_ready(Write const& write, std::int64_t tenant_id,
                             std::optional<std::vector<std::string>> const& endpoints) {
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
}

}  // namespace store
