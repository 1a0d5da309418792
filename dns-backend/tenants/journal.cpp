#include "dns-backend/tenants/journal.hpp"

#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/tenants/records.hpp"
#include "dns-backend/writes/challenges.hpp"
#include "dns-backend/writes/rules.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

namespace tenants {

using database::integer;
using database::text;
using store::Write;

namespace {

constexpr char const* columns =
    "SELECT id, tenant_id, kind, label, revision, not_before_ms, next_ms, attempts, last_error FROM tenant_intent ";

std::vector<Intent> intents_of(database::Rows const& rows) {
  std::vector<Intent> out;
  for (database::Row const& row : rows) {
    out.push_back({integer(row[0]), integer(row[1]), text(row[2]), text(row[3]), integer(row[4]), integer(row[5]),
                   integer(row[6]), integer(row[7]), text(row[8])});
  }
  return out;
}

base::Result<void> put_applied(Write const& write, Intent const& intent, std::int64_t now_ms) {
  return write.run(
      "INSERT INTO tenant_applied (tenant_id, label, revision, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (tenant_id) DO "
      "UPDATE SET label = excluded.label, revision = excluded.revision, at_ms = excluded.at_ms",
      {intent.tenant_id, intent.label, intent.revision, now_ms});
}

// Only this tenant's own former label: another may have it by now.
base::Result<void> retire(Write const& write, Intent const& intent) {
  auto const found = write.model.tenants().find(intent.tenant_id);
  if (found == write.model.tenants().end()) {
    return {};
  }
  auto const& former = found->second.former;
  auto const row = std::ranges::find(former, intent.label, &store::FormerLabel::label);
  if (row == former.end()) {
    return {};
  }
  auto const apex = dns::Name::parse(row->zone);
  auto const zone = apex ? write.zone(*apex) : apex.error();
  if (!zone) {
    return zone.error();
  }
  if (auto const done = remove_records(write, *zone, *store::tenant_name(row->label, row->zone)); !done) {
    return done;
  }
  auto const done =
      write.run("DELETE FROM former_label WHERE label = ? AND tenant_id = ?", {intent.label, intent.tenant_id});
  if (!done) {
    return done;
  }
  if (auto const touched = touch(write, intent.tenant_id); !touched) {
    return touched;
  }
  return write.raise_serial(*zone);
}

// Why a former label cannot go yet: the present one is not known to be everywhere. Empty: it can.
base::Result<std::string> wait_for_present(Write const& write, Intent const& intent) {
  auto const found = write.model.tenants().find(intent.tenant_id);
  if (found == write.model.tenants().end()) {
    return std::string();
  }
  auto const applied =
      write.transaction.query("SELECT label FROM tenant_applied WHERE tenant_id = ?", {intent.tenant_id});
  if (!applied) {
    return applied.error();
  }
  bool const there = !applied->empty() && text(applied->front()[0]) == found->second.label;
  return there ? std::string() : "'" + found->second.label + "' is not yet answered by every site";
}

base::Result<std::string> obstacle(Write const& write, Intent const& intent, Lagging const& lagging) {
  if (intent.kind == "retire") {
    return wait_for_present(write, intent);
  }
  std::string const site = lagging(intent.revision);
  return site.empty() ? std::string()
                      : "site '" + site + "' has not acknowledged revision " + std::to_string(intent.revision);
}

base::Result<void> perform(Write const& write, Intent const& intent, std::int64_t now_ms) {
  if (intent.kind == "ensure") {
    auto const found = write.model.tenants().find(intent.tenant_id);
    bool const current = found != write.model.tenants().end() && found->second.label == intent.label;
    return current ? put_applied(write, intent, now_ms) : base::Result<void>();
  }
  if (intent.kind == "retire") {
    return retire(write, intent);
  }
  // Challenges of orders that were running when the tenant left; "acme/7", and "acme/7/12" of its certificate 12.
  return store::remove_challenges_below(write, "acme/" + std::to_string(intent.tenant_id));
}

base::Result<void> repair_tenants(Write const& write, std::set<std::int64_t> const& busy, std::size_t& repaired) {
  auto const applied = write.transaction.query("SELECT tenant_id, label FROM tenant_applied");
  if (!applied) {
    return applied.error();
  }
  std::map<std::int64_t, std::string> labels;
  for (database::Row const& row : *applied) {
    labels[integer(row[0])] = text(row[1]);
  }
  for (auto const& [id, tenant] : write.model.tenants()) {
    auto const found = labels.find(id);
    bool const right = found != labels.end() && found->second == tenant.label;
    if (right || busy.contains(id)) {
      continue;
    }
    ++repaired;
    if (auto const noted = note(write, id, "ensure", tenant.label); !noted) {
      return noted;
    }
  }
  return {};
}

base::Result<void> repair_labels(Write const& write, std::size_t& repaired) {
  auto const lost = write.transaction.query(
      "SELECT label, tenant_id, until_ms FROM former_label WHERE NOT EXISTS (SELECT 1 FROM tenant_intent WHERE kind = "
      "'retire' AND tenant_intent.label = former_label.label AND tenant_intent.tenant_id = former_label.tenant_id)");
  if (!lost) {
    return lost.error();
  }
  for (database::Row const& row : *lost) {
    ++repaired;
    bool const orphan = !write.model.tenants().contains(integer(row[1]));
    auto const done = orphan ? write.run("DELETE FROM former_label WHERE label = ?", {row[0]})
                             : note(write, integer(row[1]), "retire", text(row[0]), integer(row[2]));
    if (!done) {
      return done;
    }
  }
  return {};
}

base::Result<void> repair_leftovers(Write const& write, std::set<std::int64_t> const& busy, std::size_t& repaired) {
  // Of orders from before certificates had subjects: their owner has no second number, and nobody asks for them again.
  auto const former = write.transaction.query(
      "SELECT DISTINCT owner FROM challenge WHERE owner GLOB 'acme/[0-9]*' AND owner NOT GLOB 'acme/*/*'");
  if (!former) {
    return former.error();
  }
  for (database::Row const& row : *former) {
    std::int64_t const id = std::strtoll(text(row[0]).c_str() + std::string_view("acme/").size(), nullptr, 10);
    if (!write.model.tenants().contains(id)) {
      continue;  // the intent below does it
    }
    ++repaired;
    if (auto const removed = store::remove_challenges(write, text(row[0])); !removed) {
      return removed;
    }
  }
  auto const owners = write.transaction.query(
      "SELECT DISTINCT CAST(substr(owner, 6) AS INTEGER) FROM challenge WHERE owner GLOB 'acme/[0-9]*'");
  if (!owners) {
    return owners.error();
  }
  for (database::Row const& row : *owners) {
    std::int64_t const id = integer(row[0]);
    if (!write.model.tenants().contains(id) && !busy.contains(id)) {
      ++repaired;
      if (auto const noted = note(write, id, "withdraw", ""); !noted) {
        return noted;
      }
    }
  }
  return {};
}

}  // namespace

std::int64_t backoff_ms(std::int64_t attempts) {
  constexpr std::int64_t first_ms = 2000;
  constexpr std::int64_t last_ms = 3600 * 1000;
  std::int64_t const doublings = std::clamp<std::int64_t>(attempts - 1, 0, 20);
  return std::min(first_ms << doublings, last_ms);
}

base::Result<void> note(Write const& write, std::int64_t tenant_id, std::string_view kind, std::string const& label,
                        std::int64_t not_before_ms) {
  return write.run(
      "INSERT INTO tenant_intent (tenant_id, kind, label, revision, not_before_ms, next_ms) VALUES (?, ?, ?, ?, ?, 0)",
      {tenant_id, std::string(kind), label, next_revision(write), not_before_ms});
}

base::Result<std::vector<Intent>> due(database::Database& database, std::int64_t now_ms, std::size_t most) {
  auto const rows = database.query(std::string(columns) +
                                       "WHERE id IN (SELECT min(id) FROM tenant_intent WHERE not_before_ms <= ? GROUP "
                                       "BY tenant_id) AND next_ms <= ? "
                                       "ORDER BY id LIMIT ?",
                                   {now_ms, now_ms, static_cast<std::int64_t>(most)});
  return rows ? base::Result<std::vector<Intent>>(intents_of(*rows)) : rows.error();
}

base::Result<std::int64_t> stuck(database::Database& database) {
  auto const rows = database.query("SELECT count(*) FROM tenant_intent WHERE attempts >= ?", {attempts_alarm});
  return rows ? base::Result<std::int64_t>(std::get<std::int64_t>((*rows)[0][0])) : rows.error();
}

base::Result<std::vector<Intent>> pending(database::Database& database, std::int64_t tenant_id) {
  auto const rows = database.query(std::string(columns) + "WHERE tenant_id = ? ORDER BY id", {tenant_id});
  return rows ? base::Result<std::vector<Intent>>(intents_of(*rows)) : rows.error();
}

base::Result<void> postpone(Write const& write, Intent const& intent, std::string const& why, std::int64_t now_ms) {
  return write.run("UPDATE tenant_intent SET attempts = attempts + 1, last_error = ?, next_ms = ? WHERE id = ?",
                   {why, now_ms + backoff_ms(intent.attempts + 1), intent.id});
}

base::Result<void> attempt(Write const& write, Intent const& intent, Lagging const& lagging, std::int64_t now_ms) {
  // It may have been taken back since it was read.
  auto const there = write.transaction.query("SELECT 1 FROM tenant_intent WHERE id = ?", {intent.id});
  if (!there || there->empty()) {
    return there ? base::Result<void>() : there.error();
  }
  auto const why = obstacle(write, intent, lagging);
  if (!why) {
    return why.error();
  }
  if (!why->empty()) {
    return postpone(write, intent, *why, now_ms);
  }
  if (auto const done = perform(write, intent, now_ms); !done) {
    return done;
  }
  return write.run("DELETE FROM tenant_intent WHERE id = ?", {intent.id});
}

base::Result<void> repair(Write const& write, std::size_t& repaired) {
  repaired = 0;
  auto const rows = write.transaction.query("SELECT DISTINCT tenant_id FROM tenant_intent");
  if (!rows) {
    return rows.error();
  }
  std::set<std::int64_t> busy;
  for (database::Row const& row : *rows) {
    busy.insert(integer(row[0]));
  }
  if (auto const done = repair_tenants(write, busy, repaired); !done) {
    return done;
  }
  if (auto const done = repair_labels(write, repaired); !done) {
    return done;
  }
  return repair_leftovers(write, busy, repaired);
}

}  // namespace tenants
