#include "dns-backend/commands/command_line.hpp"

#include "dns-backend/commands/show_commands.hpp"
#include "dns-backend/commands/zone_commands.hpp"

#include <CLI/CLI.hpp>

namespace commands {
namespace {

struct Arguments {
  bool json = false;
  std::string name;
  std::string file;
  TenantRequest tenant;
};

CLI::App* leaf(CLI::App& parent, char const* name, char const* text, Action& action, Action run) {
  auto* command = parent.add_subcommand(name, text);
  command->callback([&action, run = std::move(run)] { action = run; });
  return command;
}

void add_zone_commands(CLI::App& app, Arguments& given, Action& action) {
  auto* zone = app.add_subcommand("zone", "Zones: import, export, list, delete")->require_subcommand(1);
  auto* load = leaf(*zone, "import", "Create or replace a zone from a master file; all or nothing", action,
                    [&given](Place const& place) { return zone_import(place, given.name, given.file); });
  load->add_option("name", given.name, "Apex, for instance example.org")->required();
  load->add_option("file", given.file, "Master file (RFC 1035)")->required();
  leaf(*zone, "export", "Print a zone as a master file", action,
       [&given](Place const& place) { return zone_export(place, given.name); })
      ->add_option("name", given.name, "Apex")
      ->required();
  leaf(*zone, "list", "List zones", action, [&given](Place const& place) {
    return zone_list(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  leaf(*zone, "delete", "Delete a zone with everything in it", action,
       [&given](Place const& place) { return zone_delete(place, given.name); })
      ->add_option("name", given.name, "Apex")
      ->required();
}

void add_tenant_commands(CLI::App& app, Arguments& given, Action& action) {
  auto* tenant = app.add_subcommand("tenant", "Tenants: create, list, delete")->require_subcommand(1);
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
  leaf(*tenant, "delete", "Delete a tenant: its names first, then its certificate", action,
       [&given](Place const& place) { return tenant_delete(place, given.name); })
      ->add_option("label", given.name, "Label")
      ->required();
}

using Show = int (*)(Place const&, Output);

void add_show_command(CLI::App& app, Arguments& given, Action& action, char const* name, char const* text, Show show) {
  leaf(app, name, text, action, [&given, show](Place const& place) {
    return show(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
}

}  // namespace

std::shared_ptr<void> add_commands(CLI::App& app, Action& action) {
  auto given = std::make_shared<Arguments>();
  add_zone_commands(app, *given, action);
  add_tenant_commands(app, *given, action);
  add_show_command(app, *given, action, "status", "What the daemon does and how it fares", show_status);
  add_show_command(app, *given, action, "health", "Every endpoint, its state and why", show_health);
  add_show_command(app, *given, action, "pools", "Pools and their endpoints", show_pools);
  add_show_command(app, *given, action, "certificates", "Tenants' certificates", show_certificates);
  return given;
}

}  // namespace commands
