#include "dns-backend/writes/steering.hpp"

#include "base/probe/probe.hpp"
#include "dns-backend/writes/rules.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace store {

using steering::Kind;

base::Result<void> put_object(Write const& write, steering::Object const& object) {
  return write.run(
      "INSERT INTO steering (kind, name, body) VALUES (?, ?, ?) "
      "ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
      {std::string(steering::word(steering::kind_of(object))), steering::name_of(object),
       boost::json::serialize(steering::to_json(object))});
}

base::Result<void> delete_object(Write const& write, Kind kind, std::string const& name) {
  return write.run("DELETE FROM steering WHERE kind = ? AND name = ?", {std::string(steering::word(kind)), name});
}

namespace {

steering::NameFacts facts_of(Write const& write, dns::Name const& name) {
  steering::NameFacts facts;
  ZoneRow const* const row = write.model.enclosing(name);
  if (row == nullptr) {
    return facts;
  }
  facts.zone = row->apex.text();
  facts.apex = row->apex == name;
  facts.challenge = write.model.has_challenge(name);
  if (Tenant const* const tenant = write.model.tenant_at(name)) {
    facts.tenant = tenant->label;
  }
  ZonePtr const zone = write.snapshot.zone_by_id(row->id);
  if (zone == nullptr) {
    return facts;
  }
  for (dns::Name up = name; !(up == row->apex); up = up.parent()) {
    if (EntryPtr const entry = zone->find(up); entry != nullptr && entry->cut) {
      facts.delegation = up.text();
    }
  }
  // ACME's values are there for minutes and were not put there by anybody who could take them away.
  EntryPtr const entry = zone->find(name);
  for (dns::RRset const& rrset : entry == nullptr ? std::vector<dns::RRset>() : entry->rrsets) {
    if (!(facts.challenge && rrset.type == dns::type_txt)) {
      facts.types.push_back(dns::to_text(rrset.type));
    }
  }
  return facts;
}

steering::Context context_of(Write const& write) {
  steering::Context context;
  for (PoolRow const& pool : write.model.pools()) {
    context.topology_pools[pool.name] = static_cast<std::size_t>(
        std::count_if(pool.endpoints.begin(), pool.endpoints.end(), [](auto const& one) { return one.enabled; }));
  }
  context.name_facts = [&write](dns::Name const& name) { return facts_of(write, name); };
  context.pattern_problem = probe::pattern_problem;
  return context;
}

base::Problems problems_of(Write const& write, SteeringWish const& wish) {
  steering::Context const context = context_of(write);
  base::Problems problems = steering::check(wish.objects, context);
  if (wish.only_new_problems && !problems.empty()) {
    std::set<std::string> known;
    for (base::Problem const& problem : steering::check(write.model.steering(), context)) {
      known.insert(problem.text());
    }
    std::erase_if(problems, [&known](base::Problem const& problem) { return known.contains(problem.text()); });
  }
  return problems;
}

base::Result<void> raise_changed(Write const& write, steering::Objects const& wanted) {
  std::set<std::string> apexes;
  for (dns::Name const& name : write.model.names_changed_by(wanted)) {
    if (ZoneRow const* const zone = write.model.enclosing(name)) {
      apexes.insert(zone->apex.text());
    }
  }
  return raise_serials(write, apexes);
}

// Only the rows that differ, so that equal objects cost nothing and change nothing.
base::Result<void> write_difference(Write const& write, steering::Objects const& wanted) {
  steering::Objects const& present = write.model.steering();
  for (steering::Object const& object : steering::all(wanted)) {
    if (steering::find(present, steering::kind_of(object), steering::name_of(object)) != object) {
      if (auto const put = put_object(write, object); !put) {
        return put;
      }
    }
  }
  for (steering::Object const& object : steering::all(present)) {
    Kind const kind = steering::kind_of(object);
    if (!steering::find(wanted, kind, steering::name_of(object))) {
      if (auto const gone = delete_object(write, kind, steering::name_of(object)); !gone) {
        return gone;
      }
    }
  }
  return raise_changed(write, wanted);
}

void reach(steering::Objects const& objects, std::string const& pool, std::set<std::string>& seen) {
  if (!seen.insert(pool).second) {
    return;
  }
  for (auto const& [name, other] : objects.pools) {
    if (std::find(other.pools.begin(), other.pools.end(), pool) != other.pools.end()) {
      reach(objects, name, seen);
    }
  }
}

}  // namespace

base::Result<void> set_steering(Write const& write, SteeringWish const& wish, SteeringOutcome& outcome) {
  outcome.problems = problems_of(write, wish);
  outcome.difference = steering::difference(write.model.steering(), wish.objects);
  if (!outcome.problems.empty() || wish.dry_run || outcome.difference.empty()) {
    return {};
  }
  return write_difference(write, wish.objects);
}

base::Result<void> remove_steering(Write const& write, Kind kind, std::string const& name) {
  steering::Objects objects = write.model.steering();
  std::string const what = std::string(steering::word(kind)) + " '" + name + "'";
  if (kind == Kind::pool && write.model.has_pool(name)) {
    return refused("the pool '" + name + "' is the topology's, which alone can take it away");
  }
  if (steering::tenant_of(name)) {
    return refused("the " + what + " is a tenant's: navigator tenant pool");
  }
  if (!steering::find(objects, kind, name)) {
    return base::fail(errc::not_found, "there is no " + what);
  }
  std::string users;
  for (std::string const& user : steering::users_of(objects, kind, name)) {
    users += (users.empty() ? "" : ", ") + user;
  }
  if (!users.empty()) {
    return refused("the " + what + " is used by " + users);
  }
  steering::erase(objects, kind, name);
  if (auto const gone = delete_object(write, kind, name); !gone) {
    return gone;
  }
  return raise_changed(write, objects);
}

base::Result<void> check_steering_without(Write const& write, std::map<std::string, PoolRow const*> const& wanted) {
  steering::Objects const& objects = write.model.steering();
  for (PoolRow const& pool : write.model.pools()) {
    auto const users = steering::users_of(objects, Kind::pool, pool.name);
    if (!wanted.contains(pool.name) && !users.empty()) {
      return refused("the pool '" + pool.name + "' is used by " + users.front());
    }
  }
  for (auto const& [name, row] : wanted) {
    if (objects.pools.contains(name)) {
      return refused("there is a pool '" + name + "' of the operator's own; one of the two needs another name");
    }
  }
  return {};
}

std::set<std::string> zones_answering_from(Write const& write, std::set<std::string> const& pools) {
  steering::Objects const& objects = write.model.steering();
  std::set<std::string> reaching;
  for (std::string const& pool : pools) {
    reach(objects, pool, reaching);
  }
  std::set<std::string> apexes;
  for (std::string const& pool : reaching) {
    for (auto const& [name, balancer] : objects.load_balancers) {
      auto const owner = dns::Name::parse(name);
      ZoneRow const* const zone =
          owner && steering::names_pool(balancer, pool) ? write.model.enclosing(*owner) : nullptr;
      if (zone != nullptr) {
        apexes.insert(zone->apex.text());
      }
    }
  }
  return apexes;
}

}  // namespace store
