// navigator: daemon and command line in one. Wiring is in navigator.cpp, what commands do in dns-backend/commands.
#include "acme/vault/schema.hpp"
#include "dns-backend/commands/command_line.hpp"
#include "dns-backend/navigator/navigator.hpp"

#include "base/process/service.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>

namespace {

using Daemon = std::function<int(navigator::Settings const&)>;

commands::Place place_of(navigator::Settings const& settings) {
  commands::Place place;
  place.api_unix = settings.api_unix;
  place.store_url = settings.store_url;
  place.schemas = {vault::schema()};
  place.pdns_address = settings.powerdns_address;
  place.pdns_port = settings.powerdns_port;
  return place;
}

int check(navigator::Settings const&) {
  std::puts("the settings are right");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string config = "/etc/navigator/navigator.yaml";
  commands::Action action;
  Daemon daemon;
  CLI::App app("Navigator: authoritative DNS from one store, behind PowerDNS", "navigator");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(process::version()));
  app.add_option("--config", config, "Settings file")->capture_default_str();
  app.add_subcommand("serve", "Run the daemon in the foreground")->callback([&] { daemon = navigator::serve; });
  app.add_subcommand("check", "Check the settings file and exit")->callback([&] { daemon = check; });
  auto const given = commands::add_commands(app, action);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto const settings = navigator::load_settings(config);
  if (!settings) {
    std::fputs(base::text(settings.error()).c_str(), stderr);
    return 2;
  }
  return daemon ? daemon(*settings) : action(place_of(*settings));
}
