// privateer: the mesh's daemons and their command line. Parsing arguments and calling commands.hpp; nothing else.
#include "base/manual/manual.hpp"
#include "base/process/service.hpp"
#include "mesh/privateer/ca/commands.hpp"
#include "mesh/privateer/commands.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <iostream>
#include <string>

namespace {

using privateer::Settings;
using Command = std::function<int(Settings const&)>;

// What the arguments asked for; filled by the callbacks of the subcommands.
struct Arguments {
  std::string config = "/etc/privateer/privateer.yaml";
  std::string token;
  std::string token_file;
  std::string operator_name;
  privateer::TokenInput terms;
  std::string lifetime = "1h";
  std::string format = "svg";
  std::string id;
  std::string file;
  privateer::PlanInput input;
  privateer::PlanOutput plan_output;
  privateer::RenderOutput render_output;
  privateer::CaInput ca;
  bool json = false;
  bool all = false;
  bool watch = false;
  bool needs_settings = true;
  bool difference = false;
  Command command;
};

int bad_input(std::string const& sentence) {
  std::cerr << "privateer: " << sentence << "\n";
  return privateer::exit_bad_input;
}

int join(Arguments const& arguments, Settings const& settings) {
  std::string text = arguments.token;
  if (!arguments.token_file.empty()) {
    auto const read = process::read_file(arguments.token_file, 4096);
    if (!read) {
      return bad_input(read.error().what());
    }
    text = *read;
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  if (text.empty()) {
    return bad_input("give the token with --token or --token-file");
  }
  return privateer::join(settings, text, arguments.operator_name);
}

int create_token(Arguments const& arguments, Settings const& settings) {
  auto const seconds = privateer::parse_duration_s(arguments.lifetime);
  if (!seconds) {
    return bad_input("--ttl '" + arguments.lifetime + "' is not a duration; for instance 30m, 1h, 7d");
  }
  auto terms = arguments.terms;
  terms.lifetime_s = *seconds;
  return privateer::token_create(settings, terms);
}

void add_daemons(CLI::App& app, Arguments& arguments) {
  app.add_subcommand("agent", "Keep this machine as the mesh says (foreground)")->callback([&] {
    arguments.command = privateer::run_agent;
  });
  app.add_subcommand("controller", "Serve the mesh's world and let nodes join (foreground)")->callback([&] {
    arguments.command = privateer::run_controller;
  });
  auto* joining = app.add_subcommand("join", "Make this machine's keys and join the mesh");
  auto* token = joining->add_option("--token", arguments.token, "The token (visible in the process list)");
  joining->add_option("--token-file", arguments.token_file, "A file that holds the token")->excludes(token);
  joining->add_option("--operator", arguments.operator_name, "Join as this operator's machine, to look on only");
  joining->callback([&] { arguments.command = [&](Settings const& settings) { return join(arguments, settings); }; });
}

void add_list(CLI::App& of, std::string const& about, Arguments& arguments, int (*list)(Settings const&, bool)) {
  auto* command = of.add_subcommand("list", about);
  command->add_flag("--json", arguments.json, "For programs");
  command->callback([&arguments, list] {
    arguments.command = [&arguments, list](Settings const& settings) { return list(settings, arguments.json); };
  });
}

// What changes a node without taking it out.
void add_node_changes(CLI::App& node, CLI::App& app, Arguments& arguments) {
  for (bool const draining : {true, false}) {
    auto* drain = node.add_subcommand(draining ? "drain" : "undrain", draining ? "Let traffic of others go around it"
                                                                               : "Let traffic go through it again");
    drain->add_option("name", arguments.id, "Its name")->required();
    drain->callback([&arguments, draining] {
      arguments.command = [&arguments, draining](Settings const& settings) {
        return privateer::node_drain(settings, arguments.id, draining);
      };
    });
  }
  auto* rotate = app.add_subcommand("rotate", "Change the WireGuard key of a node, without losing a packet");
  auto* name = rotate->add_option("node", arguments.id, "The node");
  rotate->add_flag("--all", arguments.all, "Every node, neighbours one after the other")->excludes(name);
  rotate->callback([&] {
    arguments.command = [&](Settings const& settings) {
      if (arguments.id.empty() && !arguments.all) {
        return bad_input("name a node, or say --all");
      }
      return privateer::rotate(settings, arguments.id);
    };
  });
}

void add_controller_commands(CLI::App& app, Arguments& arguments) {
  auto* token = app.add_subcommand("token", "Rights to join")->require_subcommand(1);
  auto* create = token->add_subcommand("create", "Make a token and print it; it is not shown again");
  create->add_option("--node", arguments.terms.node, "Only this node may use it");
  create->add_option("--role", arguments.terms.role, "Only nodes of this role: central, regional, edge");
  create->add_option("--segment", arguments.terms.segment, "Only nodes of this tenant segment");
  create->add_option("--address", arguments.terms.address, "Only from this address or network");
  create->add_option("--purpose", arguments.terms.purpose, "node, or operator: who may look on and is no node")
      ->capture_default_str();
  create->add_option("--ttl", arguments.lifetime, "How long it is valid")->capture_default_str();
  create->add_option("--uses", arguments.terms.uses, "How often it may be used")->capture_default_str();
  create->callback(
      [&] { arguments.command = [&](Settings const& settings) { return create_token(arguments, settings); }; });
  add_list(*token, "All tokens", arguments, privateer::token_list);
  auto* revoke = token->add_subcommand("revoke", "Make a token worthless");
  revoke->add_option("id", arguments.id, "Its id, from 'token list'")->required();
  revoke->callback([&] {
    arguments.command = [&](Settings const& settings) { return privateer::token_revoke(settings, arguments.id); };
  });
  auto* node = app.add_subcommand("node", "Machines that joined")->require_subcommand(1);
  add_list(*node, "All nodes and how they fare", arguments, privateer::node_list);
  auto* remove = node->add_subcommand("remove", "Take a node out of the mesh");
  remove->add_option("name", arguments.id, "Its name")->required();
  remove->callback([&] {
    arguments.command = [&](Settings const& settings) { return privateer::node_remove(settings, arguments.id); };
  });
  add_node_changes(*node, app, arguments);
  auto* topology = app.add_subcommand("topology", "The declared topology")->require_subcommand(1);
  auto* set = topology->add_subcommand("set", "Replace the controller's topology");
  set->add_option("file", arguments.file, "The topology file")->required();
  set->callback([&] {
    arguments.command = [&](Settings const& settings) { return privateer::topology_set(settings, arguments.file); };
  });
}

void add_world_commands(CLI::App& app, Arguments& arguments) {
  auto* world = app.add_subcommand("world", "What every member of the mesh is given")->require_subcommand(1);
  auto* show = world->add_subcommand("show", "The controller's present world");
  show->add_flag("--json", arguments.json, "The signed document, as it travels");
  show->callback([&] {
    arguments.command = [&](Settings const& settings) { return privateer::world_show(settings, arguments.json); };
  });
}

void add_local_commands(CLI::App& app, Arguments& arguments) {
  auto* doctor = app.add_subcommand("doctor", "What is wrong on this machine, and what mends it");
  doctor->add_flag("--json", arguments.json, "For programs");
  doctor->add_flag("--all", arguments.all, "On every node, asked through the controller");
  doctor->callback([&] {
    arguments.command = [&](Settings const& settings) {
      return arguments.all ? privateer::doctor_all(settings, arguments.json)
                           : privateer::doctor(settings, arguments.json);
    };
  });
  auto* graph = app.add_subcommand("graph", "Draw the mesh as it is");
  graph->add_option("--format", arguments.format, "svg, dot or json")
      ->check(CLI::IsMember({"svg", "dot", "json"}))
      ->capture_default_str();
  graph->callback([&] {
    arguments.command = [&](Settings const& settings) { return privateer::graph(settings, arguments.format); };
  });
  auto* status = app.add_subcommand("status", "How this machine's agent fares");
  status->add_flag("--json", arguments.json, "Everything, for programs");
  status->add_flag("--watch", arguments.watch, "Again every second until Ctrl-C");
  status->callback([&] {
    arguments.command = [&](Settings const& settings) {
      return arguments.watch ? privateer::watch(settings, arguments.json) : privateer::status(settings, arguments.json);
    };
  });
  app.add_subcommand("check", "Validate settings and topology")->callback([&] {
    arguments.command = privateer::check;
  });
}

void add_worlds(CLI::App& command, Arguments& arguments) {
  command.add_option("--topology", arguments.input.topology, "Instead of the settings' topology");
  command.add_option("--allocation", arguments.input.allocation, "Identities that were given out before");
  command.add_option("--running", arguments.input.running, "The world that runs, instead of this machine's newest");
}

// With --topology these do without a settings file.
void add_planning_commands(CLI::App& app, Arguments& arguments) {
  auto* plan = app.add_subcommand("plan", "What the topology would change on each node; changes nothing");
  add_worlds(*plan, arguments);
  plan->add_option("--node", arguments.input.node, "Only this node");
  plan->add_flag("--json", arguments.plan_output.json, "For programs");
  plan->add_flag("--whole", arguments.plan_output.whole, "Every node's plan instead of the difference");
  plan->add_option("--proof", arguments.plan_output.proof,
                   "Write a certificate that no single loss disconnects anything, to a file or to - (stdout)");
  plan->add_flag("--diff", arguments.difference, "What the agent would change on this machine now");
  plan->callback([&] {
    arguments.needs_settings = arguments.difference || arguments.input.topology.empty();
    arguments.command = [&](Settings const& settings) {
      return arguments.difference ? privateer::plan_difference(settings, arguments.plan_output.json)
                                  : privateer::plan(settings, arguments.input, arguments.plan_output);
    };
  });
  auto* verify = app.add_subcommand("verify-proof", "Check such a certificate, against the topology if there is one");
  verify->add_option("file", arguments.file, "The certificate, or - for stdin")->required();
  verify->add_option("--topology", arguments.input.topology, "Instead of the settings' topology");
  verify->callback([&] {
    arguments.needs_settings = false;
    arguments.command = [&](Settings const& settings) {
      return privateer::verify_proof(settings, arguments.input, arguments.file);
    };
  });
  auto* render = app.add_subcommand("render", "Write one node's files without applying them");
  add_worlds(*render, arguments);
  render->add_option("node", arguments.input.node, "The node")->required();
  render->add_option("--directory,--output", arguments.render_output.directory, "Where to; default: the node's name");
  render->add_option("--keys", arguments.input.keys, "Public keys of nodes: NODE KEY a line");
  render->add_option("--private-key-file", arguments.render_output.private_key_file,
                     "Where the machine keeps its key; default: /etc/wireguard/privateer.key");
  render->callback([&] {
    arguments.needs_settings = arguments.input.topology.empty();
    arguments.command = [&](Settings const& settings) {
      return privateer::render(settings, arguments.input, arguments.render_output);
    };
  });
}

void add_lifetime(CLI::App& command, Arguments& arguments, std::string const& usual) {
  command.add_option_function<std::string>(
      "--lifetime",
      [&arguments](std::string const& text) {
        auto const seconds = privateer::parse_duration_s(text);
        if (!seconds) {
          throw CLI::ValidationError("--lifetime", "'" + text + "' is not a duration; for instance 12h, 90d");
        }
        arguments.ca.lifetime_s = *seconds;
      },
      "How long it is good for; usually " + usual);
}

CLI::App* add_ca_command(CLI::App& ca, Arguments& arguments, std::string const& name, std::string const& about) {
  auto* command = ca.add_subcommand(name, about);
  command->add_flag("--json", arguments.ca.json, "For programs");
  return command;
}

void add_ca_commands(CLI::App& app, Arguments& arguments) {
  auto* ca = app.add_subcommand("ca", "The root of the mesh's certificates, kept elsewhere")->require_subcommand(1);
  auto* create = add_ca_command(*ca, arguments, "create", "Make a root in a directory, on whatever machine keeps it");
  create->add_option("--directory", arguments.ca.directory, "Where to")->required();
  add_lifetime(*create, arguments, "3650d");
  create->callback([&] {
    arguments.needs_settings = false;
    arguments.command = [&](Settings const&) { return privateer::ca_create(arguments.ca); };
  });
  auto* request = add_ca_command(*ca, arguments, "request", "On the controller: ask for what it is to issue with");
  request->add_option("--output", arguments.ca.output, "Where the request goes; default: stdout");
  request->callback([&] {
    arguments.command = [&](Settings const& settings) {
      return privateer::ca_request(settings.serve_state, arguments.ca);
    };
  });
  auto* sign = add_ca_command(*ca, arguments, "sign", "Where the root is: sign a controller's request");
  sign->add_option("file", arguments.ca.file, "The request, or - for stdin")->required();
  sign->add_option("--directory", arguments.ca.directory, "The root's")->required();
  sign->add_option("--output", arguments.ca.output, "Where the certificates go; default: stdout");
  add_lifetime(*sign, arguments, "90d");
  sign->callback([&] {
    arguments.needs_settings = false;
    arguments.command = [&](Settings const&) { return privateer::ca_sign(arguments.ca); };
  });
  auto* install = add_ca_command(*ca, arguments, "install", "On the controller: issue with what was signed");
  install->add_option("file", arguments.ca.file, "What 'ca sign' gave, or - for stdin")->required();
  install->callback([&] {
    arguments.command = [&](Settings const& settings) {
      return privateer::ca_install(settings.serve_state, arguments.ca);
    };
  });
  auto* status = add_ca_command(*ca, arguments, "status", "On the controller: what is good until when");
  status->callback([&] {
    arguments.command = [&](Settings const& settings) {
      return privateer::ca_status(settings.serve_state, arguments.ca.json);
    };
  });
}

manual::About about() {
  return {"privateer",
          8,
          {"A mesh of WireGuard links that BIRD routes over: a controller plans it from a topology and signs what it "
           "planned, "
           "and an agent on each node makes it so and keeps it so.",
           "What is read by programs is asked for with --json."},
          {{"/etc/privateer/privateer.yaml", "Settings; --config names another file"},
           {"/run/privateer/", "Sockets of the daemons, for those who may command them"},
           {"/var/lib/privateer/", "Keys, certificates and worlds of a node, the controller's store"}},
          {{"0", "Done, or nothing found"},
           {"1", "It failed, or something was found"},
           {"2", "Wrong arguments or settings"}},
          {"navigator(8)", "wg(8)", "birdc(8)", "nft(8)"}};
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Privateer: a WireGuard mesh that routes");
  app.add_option("--config", arguments.config, "The settings file")->capture_default_str();
  app.set_version_flag("--version", "privateer " + std::string(process::version()));
  app.require_subcommand(1);
  add_daemons(app, arguments);
  add_controller_commands(app, arguments);
  add_world_commands(app, arguments);
  add_local_commands(app, arguments);
  add_planning_commands(app, arguments);
  add_ca_commands(app, arguments);
  manual::add_commands(app, about(), std::string(process::version()));
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? privateer::exit_done : privateer::exit_bad_input;
  }
  if (!arguments.needs_settings && !std::filesystem::exists(arguments.config)) {
    return arguments.command(Settings{});
  }
  auto const settings = privateer::load_settings(arguments.config);
  if (!settings) {
    std::cerr << base::text(settings.error());
    return privateer::exit_bad_input;
  }
  return arguments.command(*settings);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (std::exception const& error) {
    std::cerr << "privateer: " << error.what() << "\n";
    return privateer::exit_failed;
  }
}
