#include "dns-backend/commands/command_line.hpp"

#include "dns-backend/commands/compare_commands.hpp"
#include "dns-backend/commands/import_commands.hpp"
#include "dns-backend/commands/key_commands.hpp"
#include "dns-backend/commands/show_commands.hpp"
#include "dns-backend/commands/zone_commands.hpp"

#include <CLI/CLI.hpp>

namespace commands {
namespace {

struct Arguments {
  bool json = false;
  bool settings_only = false;
  std::string name;
  std::string file;
  std::string kind;
  std::string account;
  std::vector<std::string> values;
  ZoneRequest zone;
  ImportRequest import;
  TsigRequest tsig;
};

CLI::App* leaf(CLI::App& parent, char const* name, char const* text, Action& action, Action run) {
  auto* command = parent.add_subcommand(name, text);
  command->callback([&action, run = std::move(run)] { action = run; });
  return command;
}

void add_import_command(CLI::App& zone, Arguments& given, Action& action) {
  auto* load = zone.add_subcommand("import", "Replace a zone by a master file, all or nothing; or take zones over");
  auto* name = load->add_option("name", given.name, "Apex, for instance example.org");
  auto* file = load->add_option("file", given.file, "Master file (RFC 1035; $INCLUDE and $GENERATE too)")->needs(name);
  auto* source = load->add_option("--from-powerdns", given.import.source,
                                  "Instead of a file: a gsqlite3 database, postgresql://..., axfr://host:port/zone");
  source->excludes(name)->excludes(file);
  load->add_option("--zone", given.import.zones, "Of a database: only this zone; may be repeated")->needs(source);
  load->add_option("--tsig", given.import.tsig, "Of a transfer: the name of a stored TSIG key")->needs(source);
  load->add_flag("--dry-run", given.import.dry_run, "Read and report, write nothing")->needs(source);
  load->add_flag("--skip-refused", given.import.skip_refused, "Take zones without the records that are refused")
      ->needs(source);
  load->callback([&given, &action] {
    if (given.import.source.empty() && given.file.empty()) {
      throw CLI::RequiredError("name and file, or --from-powerdns");
    }
    action = [&given](Place const& place) {
      return given.import.source.empty() ? zone_import(place, given.name, given.file)
                                         : zone_import_from(place, given.import);
    };
  });
}

void add_zone_edit_commands(CLI::App& zone, Arguments& given, Action& action) {
  auto* create = leaf(zone, "create", "Make a zone with its SOA and NS; a slave begins empty", action,
                      [&given](Place const& place) { return zone_create(place, given.zone); });
  create->add_option("name", given.zone.name, "Apex")->required();
  create->add_option("--ns", given.zone.nameservers, "Name server; may be repeated");
  create->add_option("--kind", given.zone.kind, "native (default), master or slave");
  create->add_option("--master", given.zone.masters, "Primary of a slave: ip, ip:port or [ip6]:port; may be repeated");
  create->add_option("--account", given.zone.account, "Account");
  create->add_option("--hostmaster", given.zone.hostmaster, "Mailbox of the SOA");
  auto const set = [&given](Place const& place) { return zone_set(place, given.zone); };
  auto* kind = leaf(zone, "set-kind", "native, master or slave", action, set);
  kind->add_option("name", given.zone.name, "Apex")->required();
  kind->add_option("kind", given.zone.kind, "Kind")->required();
  auto* masters = leaf(zone, "set-masters", "Primaries of a slave", action, set);
  masters->add_option("name", given.zone.name, "Apex")->required();
  masters->add_option("masters", given.zone.masters, "ip, ip:port or [ip6]:port")->required();
  auto* account = leaf(zone, "set-account", "To whom the zone belongs", action, set);
  account->add_option("name", given.zone.name, "Apex")->required();
  account->add_option("account", given.zone.account, "Account")->required();
}

void add_zone_commands(CLI::App& app, Arguments& given, Action& action) {
  auto* zone = app.add_subcommand("zone", "Zones: import, export, diff, create, list, delete")->require_subcommand(1);
  add_import_command(*zone, given, action);
  add_zone_edit_commands(*zone, given, action);
  leaf(*zone, "export", "Print a zone as a master file", action,
       [&given](Place const& place) { return zone_export(place, given.name); })
      ->add_option("name", given.name, "Apex")
      ->required();
  auto* diff = leaf(*zone, "diff", "What a file would change; as diff(1): 0 nothing, 1 something, 2 trouble", action,
                    [&given](Place const& place) { return zone_diff(place, given.name, given.file, {given.json}); });
  diff->add_option("name", given.name, "Apex")->required();
  diff->add_option("file", given.file, "Master file")->required();
  diff->add_flag("--json", given.json, "Print JSON");
  leaf(*zone, "list", "List zones", action, [&given](Place const& place) {
    return zone_list(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  leaf(*zone, "delete", "Delete a zone with everything in it", action,
       [&given](Place const& place) { return zone_delete(place, given.name); })
      ->add_option("name", given.name, "Apex")
      ->required();
}

void add_key_commands(CLI::App& app, Arguments& given, Action& action) {
  auto* tsig = app.add_subcommand("tsig", "TSIG keys: list, create, show, delete")->require_subcommand(1);
  leaf(*tsig, "list", "List keys without their secrets", action, [&given](Place const& place) {
    return tsig_list(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  auto* create = leaf(*tsig, "create", "Store a key and print its secret", action,
                      [&given](Place const& place) { return tsig_create(place, given.tsig); });
  create->add_option("name", given.tsig.name, "A domain name")->required();
  create->add_option("--algorithm", given.tsig.algorithm, "hmac-md5, hmac-sha1, ... hmac-sha512")
      ->capture_default_str();
  create->add_option("--secret", given.tsig.secret, "Base64; default: a new one");
  leaf(*tsig, "show", "Print a key's secret", action,
       [&given](Place const& place) { return tsig_show(place, given.name); })
      ->add_option("name", given.name, "Name")
      ->required();
  leaf(*tsig, "delete", "Delete a key", action, [&given](Place const& place) { return tsig_delete(place, given.name); })
      ->add_option("name", given.name, "Name")
      ->required();
  auto* metadata = app.add_subcommand("metadata", "Zone metadata: get, set")->require_subcommand(1);
  auto* get = leaf(*metadata, "get", "Print a zone's metadata", action,
                   [&given](Place const& place) { return metadata_get(place, given.name, given.kind); });
  get->add_option("zone", given.name, "Apex")->required();
  get->add_option("kind", given.kind, "Only this kind");
  auto* set = leaf(*metadata, "set", "Replace the values of a kind; none: delete it", action,
                   [&given](Place const& place) { return metadata_set(place, given.name, given.kind, given.values); });
  set->add_option("zone", given.name, "Apex")->required();
  set->add_option("kind", given.kind, "Kind, for instance ALSO-NOTIFY")->required();
  set->add_option("values", given.values, "Values");
}

void add_check_command(CLI::App& app, Arguments& given, Action& action) {
  auto* check = app.add_subcommand("check", "Compare what PowerDNS answers with the store: 0 equal, 1 not, 2 trouble");
  auto* zones = check->add_option("zones", given.values, "Only these zones");
  auto* only = check->add_flag("--settings", given.settings_only, "Check the settings file and nothing else");
  check->add_flag("--json", given.json, "Print JSON")->excludes(only);
  zones->excludes(only);
  check->callback([&given, &action] {
    // Settings are read, and so checked, before any command runs.
    action = [&given](Place const& place) {
      return given.settings_only ? 0 : check_answers(place, given.values, {given.json});
    };
  });
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
  add_key_commands(app, *given, action);
  add_check_command(app, *given, action);
  add_show_command(app, *given, action, "status", "What the daemon does and how it fares", show_status);
  add_show_command(app, *given, action, "certificates", "Tenants' certificates", show_certificates);
  return given;
}

}  // namespace commands
