#include "dns-backend/commands/tenants/command_line.hpp"

#include "dns-backend/commands/tenants/invitation_commands.hpp"
#include "dns-backend/commands/tenants/sign_up_commands.hpp"
#include "dns-backend/commands/tenants/tenant_commands.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace commands {
namespace {

struct Arguments {
  bool json = false;
  std::string name;
  std::string tenant_of;
  std::int64_t limit = 100;
  TenantRequest tenant;
  PoolRequest pool;
  RecordRequest record;
  TokenRequest token;
  InvitationRequest invitation;
  SignUpRequest sign_up;
};

CLI::App* leaf(CLI::App& parent, char const* name, char const* text, Action& action, Action run) {
  auto* command = parent.add_subcommand(name, text);
  command->callback([&action, run = std::move(run)] { action = run; });
  return command;
}

void add_seconds(CLI::App& command, char const* option, std::int64_t& seconds, char const* text) {
  std::map<std::string, std::int64_t> const units{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  command.add_option(option, seconds, text)
      ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::CASE_SENSITIVE, "TIME"));
}

void add_changes(CLI::App& tenant, Arguments& given, Action& action) {
  auto const change = [&given](Place const& place) { return tenant_change(place, given.tenant, {given.json}); };
  auto* rename =
      leaf(tenant, "rename", "A new label; the former one answers too until the overlap is over", action, change);
  rename->add_option("label", given.tenant.label, "Label")->required();
  rename->add_option("new-label", given.tenant.new_label, "New label")->required();
  add_seconds(*rename, "--overlap", given.tenant.overlap_s, "For so long: 90s, 30m, 2h, 1d (default: the settings')");
  rename->add_flag("--json", given.json, "Print JSON");
  for (auto const& [word, state, text] :
       {std::tuple{"suspend", "suspended", "Its names no longer answer; nothing is lost"},
        std::tuple{"resume", "active", "Its names answer again"}}) {
    auto* command = leaf(tenant, word, text, action, [&given, state](Place const& place) {
      given.tenant.state = state;
      return tenant_change(place, given.tenant, {given.json});
    });
    command->add_option("label", given.tenant.label, "Label")->required();
    command->add_flag("--json", given.json, "Print JSON");
  }
  auto* plan = leaf(tenant, "set-plan", "Another plan", action, change);
  plan->add_option("label", given.tenant.label, "Label")->required();
  plan->add_option("plan", given.tenant.plan, "Plan")->required();
  plan->add_flag("--json", given.json, "Print JSON");
  auto* clusters = leaf(tenant, "set-clusters", "Another primary and other backups", action, change);
  clusters->add_option("label", given.tenant.label, "Label")->required();
  clusters->add_option("--primary", given.tenant.primary, "Pool that answers while it is healthy")->required();
  clusters->add_option("--backup", given.tenant.backups, "Pool that takes over; may be repeated, in order");
  clusters->add_flag("--json", given.json, "Print JSON");
}

void add_pools(CLI::App& tenant, Arguments& given, Action& action) {
  auto* pool = tenant.add_subcommand("pool", "Origins of a tenant's own: list, put, delete")->require_subcommand(1);
  auto* list = leaf(*pool, "list", "List them with the health of their origins", action,
                    [&given](Place const& place) { return pool_list(place, given.pool.tenant, {given.json}); });
  auto* put = leaf(*pool, "put", "Make or replace one", action,
                   [&given](Place const& place) { return pool_put(place, given.pool, {given.json}); });
  auto* gone = leaf(*pool, "delete", "Delete one: its names answer as before it", action,
                    [&given](Place const& place) { return pool_delete(place, given.pool); });
  for (auto* command : {list, put, gone}) {
    command->add_option("tenant", given.pool.tenant, "Label")->required();
  }
  for (auto* command : {put, gone}) {
    command->add_option("name", given.pool.name, "What the tenant calls it")->required();
  }
  put->add_option("--origin", given.pool.origins, "Public address; may be repeated")->required();
  put->add_option("--answers", given.pool.names, "Name it answers at, @ is the tenant's own; may be repeated");
  put->add_option("--type", given.pool.type, "Check: tcp, http or https")->capture_default_str();
  put->add_option("--port", given.pool.port, "Port of the check")->capture_default_str();
  put->add_option("--path", given.pool.path, "Path of the check: http, https")->capture_default_str();
  for (auto* command : {list, put}) {
    command->add_flag("--json", given.json, "Print JSON");
  }
}

void add_registrations(CLI::App& tenant, Arguments& given, Action& action) {
  auto* registration =
      tenant.add_subcommand("registration", "Names that its hosts registered by acme-dns: list, delete")
          ->require_subcommand(1);
  auto* list = leaf(*registration, "list", "List them", action,
                    [&given](Place const& place) { return registration_list(place, given.tenant_of, {given.json}); });
  list->add_option("tenant", given.tenant_of, "Label")->required();
  list->add_flag("--json", given.json, "Print JSON");
  auto* gone = leaf(*registration, "delete", "Delete one: its values go, its password is none any more", action,
                    [&given](Place const& place) { return registration_delete(place, given.tenant_of, given.name); });
  gone->add_option("tenant", given.tenant_of, "Label")->required();
  gone->add_option("subdomain", given.name, "As the list has it")->required();
}

void add_tenants(CLI::App& app, Arguments& given, Action& action) {
  auto* tenant =
      app.add_subcommand("tenant", "Tenants: create, list, status, rename, suspend, delete, pool, registration")
          ->require_subcommand(1);
  auto* create = leaf(*tenant, "create", "Give a tenant its name, answers and certificate", action,
                      [&given](Place const& place) { return tenant_create(place, given.tenant, {given.json}); });
  create->add_option("label", given.tenant.label, "One DNS label, for instance acme-tv")->required();
  create->add_option("--plan", given.tenant.plan, "Plan")->required();
  create->add_option("--primary", given.tenant.primary, "Pool that answers while it is healthy")->required();
  create->add_option("--backup", given.tenant.backups, "Pool that takes over; may be repeated, in order");
  create->add_option("--zone", given.tenant.zone, "Zone to live in (default: the topology's domain)");
  create->add_flag("--json", given.json, "Print JSON");
  leaf(*tenant, "list", "List tenants", action, [&given](Place const& place) {
    return tenant_list(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  auto* status = leaf(*tenant, "status", "What of a tenant is everywhere, what is pending, its certificates", action,
                      [&given](Place const& place) { return tenant_status(place, given.name, {given.json}); });
  status->add_option("label", given.name, "Label")->required();
  status->add_flag("--json", given.json, "Print JSON");
  auto* clusters = leaf(*tenant, "clusters", "The clusters it answers with, and their health", action,
                        [&given](Place const& place) { return tenant_clusters(place, given.name, {given.json}); });
  clusters->add_option("label", given.name, "Label")->required();
  clusters->add_flag("--json", given.json, "Print JSON");
  add_changes(*tenant, given, action);
  add_pools(*tenant, given, action);
  add_registrations(*tenant, given, action);
  leaf(*tenant, "delete", "Delete a tenant: its names first, then its certificate", action,
       [&given](Place const& place) { return tenant_delete(place, given.name); })
      ->add_option("label", given.name, "Label")
      ->required();
}

void add_records(CLI::App& app, Arguments& given, Action& action) {
  auto* record = app.add_subcommand("record", "Records of a tenant's own: list, set, delete")->require_subcommand(1);
  auto* list = leaf(*record, "list", "List them", action,
                    [&given](Place const& place) { return record_list(place, given.record.tenant, {given.json}); });
  list->add_option("tenant", given.record.tenant, "Label")->required();
  list->add_flag("--json", given.json, "Print JSON");
  auto* set = leaf(*record, "set", "Set one", action,
                   [&given](Place const& place) { return record_set(place, given.record, {given.json}); });
  auto* gone = leaf(*record, "delete", "Delete one", action,
                    [&given](Place const& place) { return record_delete(place, given.record); });
  for (auto* command : {set, gone}) {
    command->add_option("tenant", given.record.tenant, "Label")->required();
    command->add_option("name", given.record.name, "Relative to the tenant's name; @ is that name")->required();
    command->add_option("type", given.record.type, "Type, for instance TXT")->required();
  }
  set->add_option("contents", given.record.contents, "As in a master file")->required();
  set->add_option("--ttl", given.record.ttl, "Seconds")->capture_default_str();
  set->add_flag("--json", given.json, "Print JSON");
}

void add_domains(CLI::App& app, Arguments& given, Action& action) {
  auto* domain =
      app.add_subcommand("domain", "Domains of a tenant's own: list, claim, verify, remove")->require_subcommand(1);
  auto* list = leaf(*domain, "list", "List them with their state", action,
                    [&given](Place const& place) { return domain_list(place, given.tenant_of, {given.json}); });
  auto* claim = leaf(*domain, "claim", "Claim one and print the records to set", action, [&given](Place const& place) {
    return domain_claim(place, given.tenant_of, given.name, {given.json});
  });
  auto* verify =
      leaf(*domain, "verify", "Look at it now and say what is missing", action,
           [&given](Place const& place) { return domain_verify(place, given.tenant_of, given.name, {given.json}); });
  auto* gone = leaf(*domain, "remove", "Give it up", action,
                    [&given](Place const& place) { return domain_remove(place, given.tenant_of, given.name); });
  for (auto* command : {list, claim, verify, gone}) {
    command->add_option("tenant", given.tenant_of, "Label")->required();
  }
  for (auto* command : {claim, verify, gone}) {
    command->add_option("name", given.name, "Domain, for instance www.customer.example")->required();
  }
  for (auto* command : {list, claim, verify}) {
    command->add_flag("--json", given.json, "Print JSON");
  }
}

void add_tokens(CLI::App& app, Arguments& given, Action& action) {
  auto* token = app.add_subcommand("token", "Bearer tokens: create, list, revoke")->require_subcommand(1);
  auto* create = leaf(*token, "create", "Make one and print it; it is shown once", action,
                      [&given](Place const& place) { return token_create(place, given.token, {given.json}); });
  create->add_option("--tenant", given.token.tenant, "Of this tenant (default: an administrator's)");
  create->add_option("--note", given.token.note, "What it is for");
  add_seconds(*create, "--expires-in", given.token.expires_in_s, "For so long: 90s, 30m, 2h, 30d (default: for ever)");
  create->add_option("--action", given.token.actions,
                     "read, records, domains, clusters, tokens, acme, certificates, pools (default: all)");
  create->add_option("--zone", given.token.zones, "Only in this zone; may be repeated");
  create->add_option("--name", given.token.names, "Only names like this: \"_acme-challenge.*\"; may be repeated");
  create->add_option("--type", given.token.types, "Only records of this type; may be repeated");
  create->add_flag("--json", given.json, "Print JSON");
  auto* list = leaf(*token, "list", "List them, without their secrets", action,
                    [&given](Place const& place) { return token_list(place, given.token.tenant, {given.json}); });
  list->add_option("--tenant", given.token.tenant, "Of this tenant");
  list->add_flag("--json", given.json, "Print JSON");
  auto* revoke = leaf(*token, "revoke", "End one", action,
                      [&given](Place const& place) { return token_revoke(place, given.token.tenant, given.token.id); });
  revoke->add_option("id", given.token.id, "Id")->required();
  revoke->add_option("--tenant", given.token.tenant, "Of this tenant: as its own tokens have to say it");
}

void add_invitations(CLI::App& app, Arguments& given, Action& action) {
  auto* invitation =
      app.add_subcommand("invitation", "Invitations to sign up: create, list, revoke")->require_subcommand(1);
  auto* create =
      leaf(*invitation, "create", "Make one and print it; it is shown once", action,
           [&given](Place const& place) { return invitation_create(place, given.invitation, {given.json}); });
  create->add_option("--label", given.invitation.label, "For labels like this: \"acme-*\" (default: any)");
  create->add_option("--plan", given.invitation.plan, "Plan of who comes by it (default: the settings')");
  create->add_option("--uses", given.invitation.uses, "So many tenants")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  add_seconds(*create, "--expires-in", given.invitation.expires_in_s, "For so long: 30m, 2h, 7d (default: 30d)");
  create->add_option("--note", given.invitation.note, "Whom it is for");
  create->add_flag("--json", given.json, "Print JSON");
  leaf(*invitation, "list", "List them, without their secrets", action, [&given](Place const& place) {
    return invitation_list(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  leaf(*invitation, "revoke", "End one", action,
       [&given](Place const& place) { return invitation_revoke(place, given.invitation.id); })
      ->add_option("id", given.invitation.id, "Id")
      ->required();
}

void add_sign_up(CLI::App& app, Arguments& given, Action& action) {
  auto* command = leaf(app, "sign-up", "Become a tenant; the token goes into --token-file", action,
                       [&given](Place const& place) { return sign_up(place, given.sign_up, {given.json}); });
  command->add_option("label", given.sign_up.label, "One DNS label, for instance acme-tv")->required();
  command->add_option("--invitation-file", given.sign_up.invitation_file,
                      "File of the invitation; - reads standard input");
  command->add_option("--primary", given.sign_up.primary, "Cluster (default: the first for newcomers)");
  command->add_flag("--json", given.json, "Print JSON, without the token");
}

}  // namespace

std::shared_ptr<void> add_tenant_commands(CLI::App& app, Action& action) {
  auto given = std::make_shared<Arguments>();
  add_tenants(app, *given, action);
  add_records(app, *given, action);
  add_domains(app, *given, action);
  add_tokens(app, *given, action);
  add_invitations(app, *given, action);
  add_sign_up(app, *given, action);
  auto* audit = leaf(app, "audit", "Who changed what, when and from where, newest first", action,
                     [given = given.get()](Place const& place) {
                       return show_audit(place, given->tenant_of, given->limit, {given->json});
                     });
  audit->add_option("--tenant", given->tenant_of, "What this tenant's tokens changed");
  audit->add_option("--limit", given->limit, "So many")->check(CLI::Range(1, 1000))->capture_default_str();
  audit->add_flag("--json", given->json, "Print JSON");
  return given;
}

}  // namespace commands
