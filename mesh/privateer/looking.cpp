#include "mesh/privateer/looking.hpp"

#include "base/process/log.hpp"
#include "mesh/guard/rules.hpp"
#include "mesh/looking/controller_call.hpp"
#include "mesh/privateer/commands.hpp"
#include "mesh/privateer/run.hpp"
#include "mesh/showing/doctor_text.hpp"

#include <iostream>

#include <unistd.h>

namespace privateer {
namespace {

constexpr std::chrono::milliseconds all_deadline{10000};  // the controller takes six seconds at most

net::Task<int> doctor_main(looking::Place place, bool json) {
  auto const examined = co_await looking::examine(place);
  std::cout << (json ? doctor::to_json(place.node, examined.findings, examined.blind) + "\n"
                     : doctor::to_text(place.node, examined.findings, ::isatty(STDOUT_FILENO) != 0));
  co_return examined.findings.empty() ? exit_done : exit_failed;
}

net::Task<int> doctor_all_main(looking::Place place, bool json) {
  std::string const path = "/v1/examination";
  auto const answer = co_await looking::ask_controller(std::move(place), "POST", path, all_deadline);
  if (!answer) {
    std::cerr << "privateer: the controller cannot be asked: " << answer.error().what()
              << "; `privateer doctor` on each node does without it\n";
    co_return exit_failed;
  }
  std::cout << (json ? *answer + "\n" : showing::examinations_text(*answer, ::isatty(STDOUT_FILENO) != 0));
  co_return showing::all_healthy(*answer) ? exit_done : exit_failed;
}

net::Task<int> graph_main(looking::Place place, looking::Format format) {
  auto const drawn = co_await looking::draw(std::move(place), format);
  if (!drawn) {
    std::cerr << "privateer: " << drawn.error().what() << "\n";
    co_return exit_failed;
  }
  std::cout << *drawn;
  co_return exit_done;
}

}  // namespace

std::string bird_log(Settings const& settings) {
  return settings.wireguard.log_directory + "/bird.log";
}

std::vector<std::string> rules_command(Settings const& settings) {
  if (settings.rules == Settings::Rules::never) {
    return {};
  }
  if (settings.rules == Settings::Rules::when_installed && !guard::is_installed(settings.rules_command.front())) {
    process::log::warning("agent", "{} is not installed: no packet-filter rules are kept",
                          settings.rules_command.front());
    return {};
  }
  return settings.rules_command;
}

looking::Place place_of(Settings const& settings) {
  return {settings.node,           settings.state,
          settings.topology,       settings.agent_unix,
          settings.bird_control,   settings.wireguard.socket_directory,
          settings.controller_url, settings.serve_listen.empty() ? std::string() : settings.serve_unix};
}

int doctor(Settings const& settings, bool json) {
  auto const place = place_of(settings);
  return run_until_done("doctor", [&](net::asio::any_io_executor, Keep&) { return doctor_main(place, json); });
}

int doctor_all(Settings const& settings, bool json) {
  auto const place = place_of(settings);
  return run_until_done("doctor", [&](net::asio::any_io_executor, Keep&) { return doctor_all_main(place, json); });
}

int graph(Settings const& settings, std::string const& format) {
  auto const place = place_of(settings);
  auto const kind = format == "svg"   ? looking::Format::svg
                    : format == "dot" ? looking::Format::dot
                                      : looking::Format::json;
  return run_until_done("graph", [&](net::asio::any_io_executor, Keep&) { return graph_main(place, kind); });
}

}  // namespace privateer
