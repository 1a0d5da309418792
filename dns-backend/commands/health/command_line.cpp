#include "dns-backend/commands/health/command_line.hpp"

#include "dns-backend/commands/health/health_commands.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace commands {

namespace {

struct Arguments {
  bool json = false;
  HealthRequest health;
  TransitionsRequest transitions;
  OrderRequest order;
};

CLI::App* leaf(CLI::App& parent, char const* name, char const* text, Action& action, Action run) {
  auto* command = parent.add_subcommand(name, text);
  command->callback([&action, run = std::move(run)] { action = run; });
  return command;
}

void add_order_command(CLI::App& endpoint, Arguments& given, Action& action, char const* name, char const* text,
                       char const* to) {
  auto* command = leaf(endpoint, name, text, action, [&given, to](Place const& place) {
    given.order.to = to;
    return order_endpoint(place, given.order);
  });
  command->add_option("endpoint", given.order.endpoint, "Node, or POOL/ORIGIN")->required();
  if (*to == '\0') {
    return;
  }
  std::map<std::string, std::int64_t> const units{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  command->add_option("--for", given.order.for_s, "For so long: 90s, 30m, 2h, 1d (default: until it is released)")
      ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::CASE_SENSITIVE, "TIME"));
  command->add_option("--reason", given.order.reason, "Shown wherever the health is");
}

void add_endpoint_commands(CLI::App& app, Arguments& given, Action& action) {
  auto* endpoint =
      app.add_subcommand("endpoint", "Orders above the checks: drain, up, down, release, list")->require_subcommand(1);
  add_order_command(*endpoint, given, action, "drain", "No new clients; those who are there may stay", "draining");
  add_order_command(*endpoint, given, action, "up", "Take it for up, whatever its checks say", "up");
  add_order_command(*endpoint, given, action, "down", "Take it for down, whatever its checks say", "down");
  add_order_command(*endpoint, given, action, "release", "Believe its checks again", "");
  leaf(*endpoint, "list", "What is ordered now", action, [&given](Place const& place) {
    return list_orders(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
}

void add_show_commands(CLI::App& app, Arguments& given, Action& action) {
  auto* health = leaf(app, "health", "Every endpoint, its state and why; of one, its last checks", action,
                      [&given](Place const& place) { return show_health(place, given.health, {given.json}); });
  health->add_option("endpoint", given.health.endpoint, "Node, or POOL/ORIGIN");
  health->add_flag("--watch", given.health.watch, "Again each second, until Ctrl-C");
  health->add_flag("--json", given.json, "Print JSON");
  auto* changes = leaf(app, "transitions", "How health changed, newest first", action, [&given](Place const& place) {
    return show_transitions(place, given.transitions, {given.json});
  });
  changes->add_option("endpoint", given.transitions.endpoint, "Node, or POOL/ORIGIN");
  changes->add_option("--limit", given.transitions.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  changes->add_flag("--json", given.json, "Print JSON");
}

}  // namespace

std::shared_ptr<void> add_health_commands(CLI::App& app, Action& action) {
  auto given = std::make_shared<Arguments>();
  add_show_commands(app, *given, action);
  add_endpoint_commands(app, *given, action);
  leaf(app, "pools", "Pools and their endpoints", action, [held = given.get()](Place const& place) {
    return show_pools(place, {held->json});
  })->add_flag("--json", given->json, "Print JSON");
  return given;
}

}  // namespace commands
