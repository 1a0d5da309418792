// navigator: daemon and command line in one. Wiring is in navigator.cpp, what commands do in dns-backend/commands.
#include "acme/keyring/keyring.hpp"
#include "acme/schema/schema.hpp"
#include "dns-backend/commands/certificates/command_line.hpp"
#include "dns-backend/commands/command_line.hpp"
#include "dns-backend/commands/health/command_line.hpp"
#include "dns-backend/commands/remote/remote.hpp"
#include "dns-backend/commands/steering/command_line.hpp"
#include "dns-backend/commands/tenants/command_line.hpp"
#include "dns-backend/invitations/invitations.hpp"
#include "dns-backend/navigator/navigator.hpp"
#include "dns-backend/overrides/overrides.hpp"
#include "dns-backend/pipe/relay.hpp"
#include "dns-backend/transitions/transition_log.hpp"

#include "base/manual/manual.hpp"
#include "base/process/service.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <optional>

#include <unistd.h>

namespace {

using Daemon = std::function<int(navigator::Settings const&)>;

commands::Place place_of(navigator::Settings const& settings) {
  commands::Place place;
  place.api_unix = settings.api_unix;
  place.store_url = settings.store_url;
  if (settings.replica) {
    place.primary_url = settings.replica->primary;
    place.primary_tls = primary_tls(*settings.replica);
  }
  place.schemas = {vault::schema(), keyring::schema(), transitions::schema(), overrides::schema(),
                   invitations::schema()};
  place.pdns_address = settings.powerdns_address;
  place.pdns_port = settings.powerdns_port;
  return place;
}

int relay(std::string const& socket) {
  // PowerDNS's children inherit the pipes of those started beside them. Held open here, they would keep the others from
  // hearing of PowerDNS's end, and all of them from ending.
  constexpr unsigned first_inherited = 3;
  ::close_range(first_inherited, ~0U, 0);
  pipe_connector::RelaySettings settings;
  settings.socket = socket;
  auto const done = pipe_connector::relay(settings);
  if (!done) {
    std::fprintf(stderr, "navigator pipe: %s\n", done.error().what().c_str());
  }
  return done ? 0 : 1;
}

void add_serve_command(CLI::App& app, bool& replace, Daemon& daemon) {
  auto* serve = app.add_subcommand("serve", "Run the daemon in the foreground");
  serve->add_flag("--replace", replace, "Take the place of the running daemon without a lost query");
  serve->callback([&replace, &daemon] {
    daemon = [&replace](navigator::Settings const& settings) { return navigator::serve(settings, replace); };
  });
}

// PowerDNS starts it for each of its connections, so with --socket not even the settings are read.
CLI::App const* add_pipe_command(CLI::App& app, std::string& socket, Daemon& daemon) {
  auto* pipe = app.add_subcommand("pipe", "Relay between PowerDNS's pipe connector and the daemon");
  pipe->add_option("--socket", socket, "The daemon's unix socket (default: of the settings)");
  pipe->fallthrough();  // --config may come after the word
  pipe->callback(
      [&daemon] { daemon = [](navigator::Settings const& settings) { return relay(settings.remote_unix); }; });
  return pipe;
}

manual::About about() {
  return {
      "navigator",
      8,
      {"The backend of PowerDNS: zones, tenants and health-aware records from one store, certificates by ACME for the "
       "same names, and the edges that serve them.",
       "Commands speak with the daemon over its unix socket, with the store where no daemon runs, or with a Navigator "
       "elsewhere by a token (--server, --token-file). What is read by "
       "programs is asked for with --json."},
      {{"/etc/navigator/navigator.yaml", "Settings; --config names another file"},
       {"/run/navigator/", "Sockets of the daemon"},
       {"/var/lib/navigator/", "The store"}},
      {{"0", "Done, or equal"}, {"1", "It failed, or is not equal"}, {"2", "Wrong arguments or settings, or trouble"}},
      {"privateer(8)", "pdns_server(1)", "pdns_control(1)"}};
}

// A Navigator elsewhere, or this machine's daemon, whose settings say where it is. Nothing when either is said wrong;
// then all problems are on stderr.
std::optional<commands::Place> find_place(CLI::App const& app, commands::RemoteWords const& given,
                                          std::string const& config) {
  commands::RemoteWords const words = commands::with_environment(app, given);
  auto const token = app.got_subcommand("sign-up") ? commands::TokenFile::made : commands::TokenFile::read;
  auto remote = commands::read_remote(words, token);
  if (!remote) {
    std::fputs(base::text(remote.error()).c_str(), stderr);
    return std::nullopt;
  }
  commands::Place place;
  if (!*remote) {
    auto const settings = navigator::load_settings(config);
    if (!settings) {
      std::fputs(base::text(settings.error()).c_str(), stderr);
      return std::nullopt;
    }
    place = place_of(*settings);
  }
  place.remote = std::move(*remote);
  place.token_file = words.token_file;
  return place;
}

}  // namespace

int main(int argc, char** argv) {
  std::string config = "/etc/navigator/navigator.yaml";
  std::string socket;
  bool replace = false;
  commands::Action action;
  Daemon daemon;
  CLI::App app("Navigator: authoritative DNS from one store, behind PowerDNS", "navigator");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(process::version()));
  app.add_option("--config", config, "Settings file")->capture_default_str();
  add_serve_command(app, replace, daemon);
  auto const* const pipe = add_pipe_command(app, socket, daemon);
  auto const given = commands::add_commands(app, action);
  auto const health_given = commands::add_health_commands(app, action);
  auto const certificates_given = commands::add_certificate_commands(app, action);
  auto const steering_given = commands::add_steering_commands(app, action);
  auto const tenant_given = commands::add_tenant_commands(app, action);
  commands::RemoteWords remote;
  commands::add_remote_words(app, remote);
  manual::add_commands(app, about(), std::string(process::version()));
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (pipe->parsed() && !socket.empty()) {
    return relay(socket);
  }
  if (!daemon) {
    auto const place = find_place(app, remote, config);
    return place ? action(*place) : 2;
  }
  auto const settings = navigator::load_settings(config);
  if (!settings) {
    std::fputs(base::text(settings.error()).c_str(), stderr);
    return 2;
  }
  return daemon(*settings);
}
