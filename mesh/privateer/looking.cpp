#include "mesh/privateer/looking.hpp"

#include "mesh/privateer/commands.hpp"
#include "mesh/privateer/run.hpp"

#include <iostream>

#include <unistd.h>

namespace privateer {
namespace {

net::Task<int> doctor_main(looking::Place place, bool json) {
  auto const examined = co_await looking::examine(place);
  for (auto const& sentence : examined.blind) {
    std::cerr << "privateer: not seen: " << sentence << "\n";
  }
  std::cout << (json ? doctor::to_json(place.node, examined.findings) + "\n"
                     : doctor::to_text(place.node, examined.findings, ::isatty(STDOUT_FILENO) != 0));
  co_return examined.findings.empty() ? exit_done : exit_failed;
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

looking::Place place_of(Settings const& settings) {
  return {settings.node,       settings.state,        settings.topology,
          settings.agent_unix, settings.bird_control, settings.wireguard.socket_directory};
}

int doctor(Settings const& settings, bool json) {
  auto const place = place_of(settings);
  return run_until_done("doctor", [&](net::asio::any_io_executor, Keep&) { return doctor_main(place, json); });
}

int graph(Settings const& settings, std::string const& format) {
  auto const place = place_of(settings);
  auto const kind = format == "svg"   ? looking::Format::svg
                    : format == "dot" ? looking::Format::dot
                                      : looking::Format::json;
  return run_until_done("graph", [&](net::asio::any_io_executor, Keep&) { return graph_main(place, kind); });
}

}  // namespace privateer
