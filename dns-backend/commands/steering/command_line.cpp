#include "dns-backend/commands/steering/command_line.hpp"

#include "dns-backend/commands/steering/steering_commands.hpp"

#include <CLI/CLI.hpp>

namespace commands {

namespace {

using steering::Kind;

struct Arguments {
  bool json = false;
  bool dry_run = false;
  std::string name;
  std::string file;
};

CLI::App* leaf(CLI::App& parent, char const* name, std::string const& text, Action& action, Action run) {
  auto* command = parent.add_subcommand(name, text);
  command->callback([&action, run = std::move(run)] { action = run; });
  return command;
}

void add_objects(CLI::App& app, Arguments& given, Action& action, Kind kind, char const* word,
                 std::string const& what) {
  auto* objects = app.add_subcommand(word, what + "s: list, show, put, delete")->require_subcommand(1);
  std::string const lower = std::string(1, static_cast<char>(what[0] - 'A' + 'a')) + what.substr(1);
  leaf(*objects, "list", "List " + lower + "s", action, [&given, kind](Place const& place) {
    return object_list(place, kind, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  auto* show = leaf(*objects, "show", "Print a " + lower + " as YAML", action,
                    [&given, kind](Place const& place) { return object_show(place, kind, given.name, {given.json}); });
  show->add_option("name", given.name, "Name")->required();
  show->add_flag("--json", given.json, "Print JSON");
  leaf(*objects, "put", "Make or replace the " + lower + " that a file describes", action,
       [&given, kind](Place const& place) { return object_put(place, kind, given.file); })
      ->add_option("file", given.file, "YAML or JSON")
      ->required();
  leaf(*objects, "delete", "Delete a " + lower + " that nothing uses", action,
       [&given, kind](Place const& place) { return object_delete(place, kind, given.name); })
      ->add_option("name", given.name, "Name")
      ->required();
}

}  // namespace

std::shared_ptr<void> add_steering_commands(CLI::App& app, Action& action) {
  auto given = std::make_shared<Arguments>();
  add_objects(app, *given, action, Kind::monitor, "monitor", "Monitor");
  add_objects(app, *given, action, Kind::pool, "pool", "Pool");
  add_objects(app, *given, action, Kind::load_balancer, "balancer", "Load balancer");
  auto* steering =
      app.add_subcommand("steering", "All monitors, pools and load balancers: apply, show")->require_subcommand(1);
  auto* apply =
      leaf(*steering, "apply", "Replace the whole set by a file's, all or nothing", action,
           [held = given.get()](Place const& place) { return steering_apply(place, held->file, held->dry_run); });
  apply->add_option("file", given->file, "YAML or JSON")->required();
  apply->add_flag("--dry-run", given->dry_run, "Check and print the difference, change nothing");
  leaf(*steering, "show", "Print the whole set as YAML", action, [held = given.get()](Place const& place) {
    return steering_show(place, {held->json});
  })->add_flag("--json", given->json, "Print JSON");
  return given;
}

}  // namespace commands
