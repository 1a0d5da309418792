// navigator: daemon and command line in one. Wiring is in navigator.cpp, what commands do in commands.cpp.
#include "dns-backend/navigator/commands.hpp"
#include "dns-backend/navigator/navigator.hpp"
#include "dns-backend/pipe/relay.hpp"

#include "base/process/service.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>

namespace {

struct Arguments {
  std::string config = "/etc/navigator/navigator.yaml";
  bool json = false;
  bool replace = false;
  std::string socket;
  std::string name;
  std::string file;
  navigator::TenantRequest tenant;
};

using Action = std::function<int(navigator::Settings const&)>;

void add_zone_commands(CLI::App& app, Arguments& arguments, Action& action) {
  auto* zone = app.add_subcommand("zone", "Zones: import, export, list, delete")->require_subcommand(1);
  auto* load = zone->add_subcommand("import", "Create or replace a zone from a master file; all or nothing");
  load->add_option("name", arguments.name, "Apex, for instance example.org")->required();
  load->add_option("file", arguments.file, "Master file (RFC 1035)")->required();
  load->callback([&] {
    action = [&](navigator::Settings const& settings) {
      return navigator::zone_import(settings, arguments.name, arguments.file);
    };
  });
  auto* dump = zone->add_subcommand("export", "Print a zone as a master file");
  dump->add_option("name", arguments.name, "Apex")->required();
  dump->callback([&] {
    action = [&](navigator::Settings const& settings) { return navigator::zone_export(settings, arguments.name); };
  });
  auto* list = zone->add_subcommand("list", "List zones");
  list->add_flag("--json", arguments.json, "Print JSON");
  list->callback([&] {
    action = [&](navigator::Settings const& settings) { return navigator::zone_list(settings, {arguments.json}); };
  });
  auto* remove = zone->add_subcommand("delete", "Delete a zone with everything in it");
  remove->add_option("name", arguments.name, "Apex")->required();
  remove->callback([&] {
    action = [&](navigator::Settings const& settings) { return navigator::zone_delete(settings, arguments.name); };
  });
}

void add_tenant_commands(CLI::App& app, Arguments& arguments, Action& action) {
  auto* tenant = app.add_subcommand("tenant", "Tenants: create, list, delete")->require_subcommand(1);
  auto* create = tenant->add_subcommand("create", "Give a tenant its name, answers and certificate");
  create->add_option("label", arguments.tenant.label, "One DNS label, for instance acme-tv")->required();
  create->add_option("--plan", arguments.tenant.plan, "Plan")->required();
  create->add_option("--primary", arguments.tenant.primary, "Pool that answers while it is healthy")->required();
  create->add_option("--backup", arguments.tenant.backups, "Pool that takes over; may be repeated, in order");
  create->add_option("--zone", arguments.tenant.zone, "Zone to live in (default: the topology's domain)");
  create->add_flag("--json", arguments.json, "Print JSON");
  create->callback([&] {
    action = [&](navigator::Settings const& settings) {
      return navigator::tenant_create(settings, arguments.tenant, {arguments.json});
    };
  });
  auto* list = tenant->add_subcommand("list", "List tenants");
  list->add_flag("--json", arguments.json, "Print JSON");
  list->callback([&] {
    action = [&](navigator::Settings const& settings) { return navigator::tenant_list(settings, {arguments.json}); };
  });
  auto* remove = tenant->add_subcommand("delete", "Delete a tenant: its names first, then its certificate");
  remove->add_option("label", arguments.name, "Label")->required();
  remove->callback([&] {
    action = [&](navigator::Settings const& settings) { return navigator::tenant_delete(settings, arguments.name); };
  });
}

using Show = int (*)(navigator::Settings const&, navigator::Output);

void add_show_command(CLI::App& app, Arguments& arguments, Action& action, char const* name, char const* text, Show show) {
  auto* command = app.add_subcommand(name, text);
  command->add_flag("--json", arguments.json, "Print JSON");
  command->callback([&arguments, &action, show] {
    action = [&arguments, show](navigator::Settings const& settings) { return show(settings, {arguments.json}); };
  });
}

int relay(std::string const& socket) {
  pipe_connector::RelaySettings settings;
  settings.socket = socket;
  auto const done = pipe_connector::relay(settings);
  if (!done) {
    std::fprintf(stderr, "navigator pipe: %s\n", done.error().what().c_str());
  }
  return done ? 0 : 1;
}

// PowerDNS starts it for each of its connections, so with --socket not even the settings are read.
CLI::App* add_pipe_command(CLI::App& app, Arguments& arguments, Action& action) {
  auto* pipe = app.add_subcommand("pipe", "Relay between PowerDNS's pipe connector and the daemon");
  pipe->add_option("--socket", arguments.socket, "The daemon's unix socket (default: of the settings)");
  pipe->fallthrough();  // --config may come after the word
  pipe->callback([&] {
    action = [](navigator::Settings const& settings) { return relay(settings.remote_unix); };
  });
  return pipe;
}

int check(navigator::Settings const&) {
  std::puts("the settings are right");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  Action action;
  CLI::App app("Navigator: authoritative DNS from one store, behind PowerDNS", "navigator");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(process::version()));
  app.add_option("--config", arguments.config, "Settings file")->capture_default_str();
  auto* serve = app.add_subcommand("serve", "Run the daemon in the foreground");
  serve->add_flag("--replace", arguments.replace, "Take the place of the running daemon without a lost query");
  serve->callback([&] {
    action = [&](navigator::Settings const& settings) { return navigator::serve(settings, arguments.replace); };
  });
  app.add_subcommand("check", "Check the settings file and exit")->callback([&] { action = check; });
  auto const* pipe = add_pipe_command(app, arguments, action);
  add_zone_commands(app, arguments, action);
  add_tenant_commands(app, arguments, action);
  add_show_command(app, arguments, action, "status", "What the daemon does and how it fares", navigator::show_status);
  add_show_command(app, arguments, action, "health", "Every endpoint, its state and why", navigator::show_health);
  add_show_command(app, arguments, action, "pools", "Pools and their endpoints", navigator::show_pools);
  add_show_command(app, arguments, action, "certificates", "Tenants' certificates", navigator::show_certificates);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (pipe->parsed() && !arguments.socket.empty()) {
    return relay(arguments.socket);
  }
  auto const settings = navigator::load_settings(arguments.config);
  if (!settings) {
    std::fputs(base::text(settings.error()).c_str(), stderr);
    return 2;
  }
  return action(*settings);
}
