#include "dns-backend/domains/domains.hpp"

#include "dns-backend/tenants/fit.hpp"
#include "dns-backend/tokens/secret.hpp"
#include "dns-backend/writes/rules.hpp"

#include <algorithm>

namespace domains {

using database::integer;
using database::text;
using store::Domain;
using store::errc;
using store::refused;
using store::Write;

namespace {

constexpr std::size_t slug_octets = 20;  // 160 bits in 32 characters

std::int64_t constexpr minute_ms = 60000;

// Names of the platform are nobody's own domain.
base::Result<void> check_foreign(Write const& write, tenants::Policy const& policy, dns::Name const& name) {
  std::set<std::string> platform;
  for (auto const& [id, tenant] : write.model.tenants()) {
    platform.insert(tenant.zone);
  }
  if (auto const zone = dns::Name::parse(policy.challenge_zone); zone && !zone->is_root()) {
    platform.insert(zone->text());
  }
  for (std::string const& apex : platform) {
    auto const zone = dns::Name::parse(apex);
    if (zone && (name.is_within(*zone) || zone->is_within(name))) {
      return refused("'" + name.text() + "' belongs to the platform");
    }
  }
  return {};
}

Domain const* own_domain(store::Model const& model, std::int64_t tenant_id, std::string const& name) {
  auto const& ids = model.domain_ids_of(tenant_id);
  auto const found = ids.find(name);
  return found == ids.end() ? nullptr : &model.domains().at(found->second);
}

base::Result<void> raise_where_served(Write const& write, std::string const& name) {
  auto const parsed = dns::Name::parse(name);
  store::ZoneRow const* const zone = parsed ? write.model.enclosing(*parsed) : nullptr;
  return zone == nullptr ? base::Result<void>() : write.raise_serial(*zone);
}

base::Result<void> set_state(Write const& write, Domain const& domain, std::string const& state, std::int64_t now_ms) {
  std::int64_t const verified = state == "verified" ? now_ms : domain.verified_at_ms;
  std::int64_t const expires = state == "claimed" ? now_ms + claim_ms : state == "failing" ? now_ms + grace_ms : 0;
  auto const done = write.run("UPDATE domain SET state = ?, verified_at_ms = ?, expires_at_ms = ? WHERE id = ?",
                              {state, verified, expires, domain.id});
  if (!done) {
    return done;
  }
  if (auto const touched = tenants::touch(write, domain.tenant_id); !touched) {
    return touched;
  }
  bool const answers_change = domain.owned() != (state != "claimed");
  return answers_change ? raise_where_served(write, domain.name) : base::Result<void>();
}

base::Result<Check> last_check(Write const& write, std::int64_t id) {
  auto const rows =
      write.transaction.query("SELECT at_ms, next_ms, failures, reason FROM domain_check WHERE domain_id = ?", {id});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return Check{};
  }
  database::Row const& row = rows->front();
  return Check{integer(row[0]), integer(row[1]), integer(row[2]), text(row[3])};
}

// Whether the CNAMEs name this tenant, by its present label or a former one.
bool leads_through(store::Model const& model, std::int64_t tenant_id, std::vector<dns::Name> const& through) {
  auto const found = model.tenants().find(tenant_id);
  if (found == model.tenants().end()) {
    return false;
  }
  store::Tenant const& tenant = found->second;
  auto const named = [&through](std::string const& label, std::string const& zone) {
    auto const name = store::tenant_name(label, zone);
    return name && std::ranges::find(through, *name) != through.end();
  };
  return named(tenant.label, tenant.zone) ||
         std::ranges::any_of(tenant.former, [&named](auto const& former) { return named(former.label, former.zone); });
}

base::Result<void> remove_rows(Write const& write, Domain const& domain) {
  for (auto const* sql : {"DELETE FROM domain_check WHERE domain_id = ?", "DELETE FROM domain WHERE id = ?"}) {
    if (auto const done = write.run(sql, {domain.id}); !done) {
      return done;
    }
  }
  return tenants::touch(write, domain.tenant_id);
}

// Proved twice: who proves it now has it, unless its CNAMEs still name the one who had it. That one's claim ends, with
// its proof: the record may stand in the domain's zone for ever, and would take the domain back.
base::Result<void> yield_or_take(Write const& write, Domain const& domain, Verdict& verdict) {
  auto const name = dns::Name::parse(domain.name);
  Domain const* const other = name ? write.model.domain_at(*name) : nullptr;
  if (!verdict.ok() || other == nullptr || other->id == domain.id) {
    return {};
  }
  if (other->state == "verified" && leads_through(write.model, other->tenant_id, verdict.through)) {
    verdict = {"taken", "another tenant has verified this domain, and it still leads there",
               "have it removed there, or point its CNAME here"};
    return {};
  }
  return remove_rows(write, *other);
}

std::string state_after(Domain const& domain, Verdict const& verdict, std::int64_t now_ms) {
  if (verdict.ok()) {
    return "verified";
  }
  if (!domain.owned() || verdict.temporary()) {
    return domain.state;
  }
  // One that began to fail before that time was kept has it since its last good look.
  std::int64_t const lost = domain.expires_at_ms != 0 ? domain.expires_at_ms : domain.verified_at_ms + grace_ms;
  bool const over = domain.state == "failing" && now_ms >= lost;
  return over ? "claimed" : "failing";
}

std::string without_dot(std::string text) {
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text;
}

WantedCertificate wanted_name(store::Tenant const& tenant, std::string const& label, std::string const& zone) {
  auto const name = store::tenant_name(label, zone);
  WantedCertificate one;
  one.kind =
      label == tenant.label && zone == tenant.zone ? WantedCertificate::Kind::own : WantedCertificate::Kind::former;
  one.tenant_id = tenant.id;
  one.tenant = tenant.label;
  one.label = label;
  one.name = name ? without_dot(name->text()) : "";
  one.names = {"*." + one.name, one.name};  // '*' sorts before letters and digits
  return one;
}

}  // namespace

DomainVerdict read_domain(std::string_view given) {
  auto const bad = [](std::string problem, std::string hint) {
    return DomainVerdict{{}, std::move(problem), std::move(hint)};
  };
  if (given.find('\\') != std::string_view::npos) {
    return bad("escapes are not for host names", "letters, digits and '-'");
  }
  if (given.find('*') != std::string_view::npos) {
    return bad("a wildcard cannot be claimed", "each name by itself, for instance www.customer.example");
  }
  auto const name = dns::Name::parse(given);
  if (!name) {
    return bad(name.error().detail, "for instance www.customer.example");
  }
  if (name->labels() < 2) {
    return bad("a name of one label is nobody's own", "for instance www.customer.example");
  }
  std::string const& plain = name->text();
  bool const host = std::ranges::all_of(
      plain, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
  if (!host || plain.starts_with('-') || plain.find(".-") != std::string::npos ||
      plain.find("-.") != std::string::npos) {
    return bad("it is no host name (RFC 1123 2.1)", "letters, digits and '-' inside");
  }
  if (!name->child("_navigator-challenge")) {
    return bad("it is too long for the names below it that prove it", "at most 230 characters");
  }
  return {plain, {}, {}};
}

base::Result<void> claim(Write const& write, tenants::Policy const& policy, std::string const& label, Domain& domain,
                         tenants::Circumstances const& when, std::int64_t& wait_ms) {
  auto const tenant = tenants::expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  auto const name = dns::Name::parse(domain.name);
  if (!name) {
    return name.error();
  }
  if (Domain const* const present = own_domain(write.model, tenant->id, domain.name)) {
    domain = *present;
    return {};
  }
  if (auto const fine = check_foreign(write, policy, *name); !fine) {
    return fine;
  }
  tenants::Plan const* const plan = tenants::find_plan(policy, tenant->plan);
  if (plan != nullptr && write.model.domain_ids_of(tenant->id).size() >= plan->domains) {
    return store::over_quota("the plan '" + tenant->plan + "' has " + std::to_string(plan->domains) +
                             " domains at most");
  }
  std::string slug = tokens::random_text(slug_octets);
  if (auto const taken = tenants::take_slug(write, policy, tenant->id, slug, when.now_ms, wait_ms); !taken) {
    return taken;
  }
  domain = {0,
            tenant->id,
            domain.name,
            std::move(slug),
            tokens::random_text(slug_octets),
            "claimed",
            when.now_ms,
            when.now_ms + claim_ms,
            0};
  auto const made = write.run(
      "INSERT INTO domain (tenant_id, name, slug, proof, state, created_at_ms, expires_at_ms, verified_at_ms) VALUES "
      "(?, ?, ?, ?, ?, ?, ?, 0)",
      {domain.tenant_id, domain.name, domain.slug, domain.proof, domain.state, domain.created_at_ms,
       domain.expires_at_ms});
  if (!made) {
    return made;
  }
  domain.id = write.transaction.last_insert_id();
  return tenants::touch(write, tenant->id);
}

base::Result<void> remove(Write const& write, std::string const& label, std::string const& name,
                          tenants::Circumstances const& when) {
  auto const tenant = tenants::expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  Domain const* const domain = own_domain(write.model, tenant->id, name);
  if (domain == nullptr) {
    return base::fail(errc::not_found, "there is no domain '" + name + "'");
  }
  if (auto const removed = remove_rows(write, *domain); !removed) {
    return removed;
  }
  return domain->owned() ? raise_where_served(write, name) : base::Result<void>();
}

base::Result<void> settle(Write const& write, std::int64_t id, Verdict& verdict, std::int64_t now_ms) {
  auto const found = write.model.domains().find(id);
  if (found == write.model.domains().end()) {
    return base::fail(errc::not_found, "the domain is gone");
  }
  Domain const& domain = found->second;
  if (auto const done = yield_or_take(write, domain, verdict); !done) {
    return done;
  }
  auto const before = last_check(write, id);
  if (!before) {
    return before.error();
  }
  std::string const state = state_after(domain, verdict, now_ms);
  std::int64_t const failures = verdict.ok() ? 0 : before->failures + 1;
  std::string const reason = verdict.ok() ? "" : verdict.code + ": " + verdict.reason;
  auto const noted = write.run(
      "INSERT INTO domain_check (domain_id, at_ms, next_ms, failures, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
      "(domain_id) DO UPDATE SET at_ms = excluded.at_ms, next_ms = excluded.next_ms, failures = excluded.failures, "
      "reason = excluded.reason",
      {id, now_ms, now_ms + next_look_ms(state, failures), failures, reason});
  if (!noted) {
    return noted;
  }
  // The time of the last good look moves with each day only: it is replicated.
  constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
  bool const older = state == "verified" && now_ms - domain.verified_at_ms >= day_ms;
  return state != domain.state || older ? set_state(write, domain, state, now_ms) : base::Result<void>();
}

base::Result<void> sweep(Write const& write, std::int64_t now_ms) {
  for (auto const* sql : {"DELETE FROM domain_check WHERE domain_id IN (SELECT id FROM domain WHERE state = 'claimed' "
                          "AND expires_at_ms <= "
                          "?)",
                          "DELETE FROM domain WHERE state = 'claimed' AND expires_at_ms <= ?"}) {
    if (auto const done = write.run(sql, {now_ms}); !done) {
      return done;
    }
  }
  return {};
}

std::int64_t next_look_ms(std::string const& state, std::int64_t failures) {
  if (state == "verified" && failures == 0) {
    return 360 * minute_ms;
  }
  std::int64_t const first = state == "claimed" ? minute_ms : 10 * minute_ms;
  std::int64_t const most = state == "claimed" ? 60 * minute_ms : 360 * minute_ms;
  return std::min(first << std::clamp<std::int64_t>(failures - 1, 0, 16), most);
}

base::Result<std::vector<Seen>> list(store::Model const& model, database::Database& database, std::int64_t tenant_id) {
  auto const rows = database.query(
      "SELECT domain_id, at_ms, next_ms, failures, reason FROM domain_check WHERE domain_id IN (SELECT id FROM domain "
      "WHERE tenant_id = ?)",
      {tenant_id});
  if (!rows) {
    return rows.error();
  }
  std::map<std::int64_t, Check> checks;
  for (database::Row const& row : *rows) {
    checks[integer(row[0])] = {integer(row[1]), integer(row[2]), integer(row[3]), text(row[4])};
  }
  std::vector<Seen> out;
  for (auto const& [name, id] : model.domain_ids_of(tenant_id)) {
    auto const check = checks.find(id);
    out.push_back({model.domains().at(id), check == checks.end() ? std::nullopt : std::optional<Check>(check->second)});
  }
  return out;
}

base::Result<std::vector<std::int64_t>> due(database::Database& database, std::int64_t now_ms, std::size_t most) {
  auto const rows = database.query(
      "SELECT domain.id FROM domain LEFT JOIN domain_check ON domain_check.domain_id = domain.id WHERE "
      "coalesce(next_ms, 0) <= ? ORDER BY coalesce(next_ms, 0), domain.id LIMIT ?",
      {now_ms, static_cast<std::int64_t>(most)});
  if (!rows) {
    return rows.error();
  }
  std::vector<std::int64_t> ids;
  for (database::Row const& row : *rows) {
    ids.push_back(integer(row[0]));
  }
  return ids;
}

std::optional<Wanted> wanted_of(store::Model const& model, std::string const& challenge_zone, std::int64_t id) {
  auto const found = model.domains().find(id);
  auto const owner =
      found == model.domains().end() ? model.tenants().end() : model.tenants().find(found->second.tenant_id);
  if (owner == model.tenants().end()) {
    return std::nullopt;
  }
  Domain const& domain = found->second;
  store::Tenant const& tenant = owner->second;
  Wanted wanted;
  wanted.domain = dns::Name::parse(domain.name).value();
  wanted.targets.push_back(*store::tenant_name(tenant.label, tenant.zone));
  for (store::FormerLabel const& former : tenant.former) {
    wanted.targets.push_back(*store::tenant_name(former.label, former.zone));
  }
  auto const zone = challenge_zone.empty() ? dns::Name() : dns::Name::parse(challenge_zone);
  if (zone && !zone->is_root()) {
    wanted.challenge_target = zone->child(domain.slug).value();
  }
  wanted.proof = domain.proof;
  wanted.needs_proof = !domain.owned();
  wanted.served_here = model.enclosing(wanted.domain) != nullptr;
  for (store::PoolRow const& pool : model.pools()) {
    bool const used =
        pool.name == tenant.primary || std::ranges::find(tenant.backups, pool.name) != tenant.backups.end();
    for (auto const& endpoint : pool.endpoints) {
      if (used) {
        wanted.addresses.insert(endpoint.address4);
        wanted.addresses.insert(endpoint.address6);
      }
    }
  }
  // Its own pool at its own name answers there, and so at its domains, in the clusters' place.
  std::string const own = "tenant-" + std::to_string(tenant.id) + "/";
  auto const& pools = model.steering().pools;
  for (auto at = pools.lower_bound(own); at != pools.end() && at->first.starts_with(own); ++at) {
    if (std::ranges::find(at->second.names, "@") == at->second.names.end()) {
      continue;
    }
    for (steering::Origin const& origin : at->second.origins) {
      wanted.addresses.insert({origin.address, origin.address6});
    }
  }
  wanted.addresses.erase("");
  return wanted;
}

std::vector<WantedCertificate> wanted_certificates(store::Model const& model, std::string const& challenge_zone,
                                                   std::set<std::int64_t> const* tenants) {
  std::vector<store::Tenant const*> active;
  auto const consider = [&active](store::Tenant const& tenant) {
    if (tenant.state == "active") {
      active.push_back(&tenant);
    }
  };
  if (tenants == nullptr) {
    std::ranges::for_each(model.tenants(), [&consider](auto const& item) { consider(item.second); });
  } else {
    for (std::int64_t const id : *tenants) {
      if (auto const found = model.tenants().find(id); found != model.tenants().end()) {
        consider(found->second);
      }
    }
  }
  std::vector<WantedCertificate> out;
  for (store::Tenant const* const tenant : active) {
    out.push_back(wanted_name(*tenant, tenant->label, tenant->zone));
    for (store::FormerLabel const& former : tenant->former) {
      out.push_back(wanted_name(*tenant, former.label, former.zone));
    }
  }
  std::string const zone = without_dot(challenge_zone);
  for (store::Tenant const* const tenant : active) {
    for (store::Domain const* const domain : model.domains_of(tenant->id)) {
      std::string const name = without_dot(domain->name);
      WantedCertificate one{
          WantedCertificate::Kind::domain, tenant->id, domain->id, tenant->label, {}, name, {name}, {},
          domain->state == "failing"};
      one.challenge_name = zone.empty() ? "" : domain->slug + "." + zone;
      out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace domains
