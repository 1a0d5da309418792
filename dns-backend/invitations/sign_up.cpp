#include "dns-backend/invitations/sign_up.hpp"

#include <algorithm>
#include <optional>

namespace invitations {

using database::integer;
using database::text;
using store::refused;
using store::Write;

namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

// An earlier sign-up under the same key.
struct Earlier {
  std::int64_t id = 0;
  std::int64_t at_ms = 0;
  std::int64_t tenant_id = 0;
  std::int64_t changed_at = 0;
  std::string token_id;
  std::string request;
};

base::Result<std::optional<Earlier>> earlier_of(Write const& write, std::string const& key) {
  if (key.empty()) {
    return std::optional<Earlier>();
  }
  auto const rows = write.transaction.query(
      "SELECT id, at_ms, tenant_id, changed_at, token_id, request FROM sign_up WHERE key = ?", {key});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<Earlier>();
  }
  database::Row const& row = rows->front();
  return std::optional(
      Earlier{integer(row[0]), integer(row[1]), integer(row[2]), integer(row[3]), text(row[4]), text(row[5])});
}

base::Result<void> repeat(Write const& write, Earlier const& earlier, Wish const& wish, tokens::Made& token,
                          Outcome& outcome) {
  if (earlier.request != wish.request) {
    return base::fail(errc::other_request, "this Idempotency-Key was used for another sign-up");
  }
  // Whoever knows the key gets a token here: not once the first one is known to have arrived.
  auto const found = write.model.tenants().find(earlier.tenant_id);
  bool const untouched = found != write.model.tenants().end() && found->second.changed_at == earlier.changed_at &&
                         wish.now_ms - earlier.at_ms < repeat_ms;
  if (!untouched) {
    return base::fail(errc::answered,
                      "this sign-up was done, and is repeated for an hour only and while nothing of the "
                      "tenant was changed: ask the platform for a token");
  }
  auto const ended = write.transaction.execute("UPDATE token SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms = 0",
                                               {wish.now_ms, earlier.token_id});
  if (!ended) {
    return ended.error();
  }
  if (*ended == 0) {
    return base::fail(errc::answered, "this sign-up was done, and its token was revoked: ask the platform for another");
  }
  outcome.tenant = found->second;
  outcome.former_token = earlier.token_id;
  token.token.tenant_id = earlier.tenant_id;
  if (auto const added = tokens::add_row(write, token); !added) {
    return added;
  }
  return write.run("UPDATE sign_up SET token_id = ? WHERE id = ?", {token.token.id, earlier.id});
}

base::Result<void> check_day(Write const& write, Terms const& terms, Wish const& wish, Outcome& outcome) {
  if (auto const done = write.run("DELETE FROM sign_up WHERE at_ms <= ?", {wish.now_ms - day_ms}); !done) {
    return done;
  }
  // Whoever was invited is bounded by his invitation: strangers must not close the door on him.
  if (terms.per_day == 0 || !wish.invitation.empty()) {
    return {};
  }
  // The sign-up that has to be a day old before there is room for another.
  auto const rows =
      write.transaction.query("SELECT at_ms FROM sign_up ORDER BY at_ms DESC LIMIT 1 OFFSET ?", {terms.per_day - 1});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return {};
  }
  outcome.wait_ms = std::max<std::int64_t>(integer(rows->front()[0]) + day_ms - wish.now_ms, 0);
  return base::fail(errc::too_many, "there were " + std::to_string(terms.per_day) + " sign-ups within a day");
}

// The plan it gives; the settings' without an invitation.
base::Result<std::string> admit(Write const& write, Terms const& terms, Wish const& wish, Outcome& outcome) {
  if (wish.invitation.empty()) {
    return terms.door == Terms::Door::open ? base::Result<std::string>(terms.plan)
                                           : base::fail(errc::not_invited, "no invitation was shown");
  }
  auto const invitation = take(write, wish.invitation, wish.now_ms);
  if (!invitation) {
    return invitation.error();
  }
  outcome.invitation = invitation->id;
  if (!invitation->label.empty() && !tokens::matches(invitation->label, wish.label)) {
    return base::fail(errc::other_label, "this invitation is for labels like '" + invitation->label + "', which '" +
                                             wish.label + "' is not");
  }
  return invitation->plan.empty() ? terms.plan : invitation->plan;
}

}  // namespace

base::Result<Placement> place(Terms const& terms, tenants::Policy const& policy, std::string const& plan_name,
                              std::string const& primary) {
  tenants::Plan const* const plan = tenants::find_plan(policy, plan_name);
  if (plan == nullptr) {
    return refused("there is no plan '" + plan_name + "'");
  }
  std::vector<std::string> usable;
  for (std::string const& cluster : terms.clusters) {
    bool const has = plan->clusters.empty() || std::ranges::find(plan->clusters, cluster) != plan->clusters.end();
    if (has) {
      usable.push_back(cluster);
    }
  }
  auto const chosen = primary.empty() ? usable.begin() : std::ranges::find(usable, primary);
  if (chosen == usable.end()) {
    std::string names;
    for (std::string const& one : usable) {
      names += (names.empty() ? "" : ", ") + one;
    }
    return refused("'" + primary + "' is no cluster for a newcomer with the plan '" + plan_name + "': " + names);
  }
  Placement placement{*chosen, {}};
  usable.erase(chosen);
  usable.resize(std::min<std::size_t>(usable.size(), plan->backups));
  placement.backups = std::move(usable);
  return placement;
}

base::Result<void> sign_up(Write const& write, tenants::Policy const& policy, Terms const& terms, Wish const& wish,
                           tokens::Made& token, Outcome& outcome) {
  auto const earlier = earlier_of(write, wish.key);
  if (!earlier) {
    return earlier.error();
  }
  if (earlier->has_value()) {
    return repeat(write, **earlier, wish, token, outcome);
  }
  // First who asks: a stranger learns nothing of labels here.
  auto const plan = admit(write, terms, wish, outcome);
  if (!plan) {
    return plan.error();
  }
  if (auto const room = check_day(write, terms, wish, outcome); !room) {
    return room;
  }
  auto placed = place(terms, policy, *plan, wish.primary);
  if (!placed) {
    return placed.error();
  }
  store::Tenant& tenant = outcome.tenant;
  tenant.label = wish.label;
  tenant.zone = terms.zone;
  tenant.plan = *plan;
  tenant.primary = std::move(placed->primary);
  tenant.backups = std::move(placed->backups);
  tenant.created_at_ms = wish.now_ms;
  if (auto const made = tenants::create(write, policy, tenant); !made) {
    return made;
  }
  token.token.tenant_id = tenant.id;
  if (auto const added = tokens::add_row(write, token); !added) {
    return added;
  }
  return write.run(
      "INSERT INTO sign_up (at_ms, tenant_id, changed_at, token_id, key, request) VALUES (?, ?, ?, ?, ?, ?)",
      {wish.now_ms, tenant.id, tenant.changed_at, token.token.id, wish.key, wish.request});
}

}  // namespace invitations
