// Commands that need no daemon: plan, render, check.
#include "mesh/privateer/commands.hpp"

#include "base/process/service.hpp"
#include "mesh/agent/snapshots.hpp"
#include "mesh/plan/plan.hpp"
#include "mesh/privateer/run.hpp"
#include "topology/graph.hpp"
#include "topology/load.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

namespace privateer {
namespace {

// nullopt: everything that is wrong was printed.
std::optional<plan::World> load_world(Settings const& settings, PlanInput const& input) {
  auto const file = input.topology.empty() ? settings.topology : input.topology;
  if (file.empty()) {
    std::cerr << "privateer: no topology: name one with --topology or in the settings\n";
    return std::nullopt;
  }
  auto const text = process::read_file(file);
  if (!text) {
    std::cerr << "privateer: " << text.error().what() << "\n";
    return std::nullopt;
  }
  auto topology = topology::load_topology(*text, file);
  if (!topology) {
    std::cerr << base::text(topology.error());
    return std::nullopt;
  }
  topology::Allocation previous;
  if (!input.allocation.empty()) {
    auto const lines = process::read_file(input.allocation);
    auto parsed = lines ? topology::parse_allocation(*lines) : base::Result<topology::Allocation>(lines.error());
    if (!parsed) {
      std::cerr << "privateer: " << input.allocation << ": " << parsed.error().what() << "\n";
      return std::nullopt;
    }
    previous = std::move(*parsed);
  }
  auto allocation = topology::allocate(*topology, previous, 0);
  if (!allocation) {
    std::cerr << "privateer: " << allocation.error().what() << "\n";
    return std::nullopt;
  }
  plan::World world;
  world.topology = std::move(*topology);
  world.allocation = std::move(*allocation);
  return world;
}

std::optional<std::vector<plan::NodePlan>> make_plans(plan::World const& world, std::string const& node) {
  plan::PlanOptions options;
  options.assume_joined = true;
  std::vector<plan::NodePlan> out;
  for (auto const& one : world.topology.nodes) {
    if (!node.empty() && one.name != node) {
      continue;
    }
    auto planned = plan::plan_node(world, one.name, options);
    if (!planned) {
      std::cerr << "privateer: " << planned.error().what() << "\n";
      return std::nullopt;
    }
    out.push_back(std::move(*planned));
  }
  if (out.empty()) {
    std::cerr << "privateer: the topology has no node '" << node << "'\n";
    return std::nullopt;
  }
  return out;
}

char const* kind_name(topology::Weakness::Kind kind) {
  switch (kind) {
    case topology::Weakness::Kind::node:
      return "node";
    case topology::Weakness::Kind::link:
      return "link";
    case topology::Weakness::Kind::site:
      return "site";
    case topology::Weakness::Kind::provider:
      return "provider";
  }
  return "part";
}

void print_weaknesses(topology::Topology const& topology) {
  for (auto const& weakness : topology::weaknesses(topology)) {
    std::cout << "warning: the loss of " << kind_name(weakness.kind) << " " << weakness.name << " cuts off";
    for (auto const& name : weakness.cut_off) {
      std::cout << " " << name;
    }
    std::cout << "\n";
  }
}

// The form of `wg setconf`, without the private key, which only the node has.
std::string setconf_text(wireguard::Device const& device) {
  std::string out = "# link " + device.alias + ", mtu " + std::to_string(device.mtu) + "\n";
  for (auto const& address : device.addresses) {
    out += "# address " + address.text() + "\n";
  }
  out += "[Interface]\nListenPort = " + std::to_string(device.listen_port) + "\n";
  for (auto const& peer : device.peers) {
    out += "\n[Peer]\n";
    out += peer.public_key.is_set() ? "PublicKey = " + peer.public_key.to_base64() + "\n"
                                    : "# PublicKey: known when the node has joined\n";
    out += "AllowedIPs = 0.0.0.0/0, ::/0\n";
    out += peer.endpoint ? "Endpoint = " + peer.endpoint->text() + "\n" : "";
    out += peer.keepalive_s != 0 ? "PersistentKeepalive = " + std::to_string(peer.keepalive_s) + "\n" : "";
  }
  return out;
}

// The last-known world, or the seed's.
std::optional<plan::World> known_world(Settings const& settings) {
  std::vector<std::string> damaged;
  auto const document = agent::Snapshots(settings.state + "/worlds").newest(damaged);
  for (auto const& sentence : damaged) {
    std::cerr << "privateer: " << sentence << "\n";
  }
  if (!document) {
    return load_world(settings, {});
  }
  auto world = plan::build_world(*document, "last-known topology");
  if (!world) {
    std::cerr << "privateer: " << world.error().what() << "\n";
    return std::nullopt;
  }
  return std::move(*world);
}

net::Task<int> difference_main(std::shared_ptr<plan::NodePlan const> plan, wireguard::BackendSettings settings) {
  auto backend = wireguard::Backend::choose(settings);
  if (!backend) {
    std::cerr << "privateer: " << backend.error().what() << "\n";
    co_return exit_failed;
  }
  auto const observed = co_await backend->observe(std::string(plan::interface_prefix));
  if (!observed) {
    std::cerr << "privateer: " << observed.error().what() << "\n";
    co_return exit_failed;
  }
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  auto const now_s = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  for (auto const& name : wireguard::conflicts(plan->devices, *observed)) {
    std::cout << name << ": exists and is not ours\n";
  }
  for (auto const& link : plan->waiting) {
    std::cout << "waiting: " << link << " (the other node has not joined)\n";
  }
  std::cout << plan::to_text(wireguard::diff(plan->devices, *observed, plan::interface_prefix, now_s));
  co_return exit_done;
}

}  // namespace

int plan(Settings const& settings, PlanInput const& input, bool json) {
  auto const world = load_world(settings, input);
  if (!world) {
    return exit_bad_input;
  }
  auto const plans = make_plans(*world, input.node);
  if (!plans) {
    return exit_bad_input;
  }
  if (json) {
    std::cout << plan::to_json(*plans) << "\n";
    return exit_done;
  }
  for (auto const& one : *plans) {
    std::cout << plan::to_text(one);
  }
  print_weaknesses(world->topology);
  return exit_done;
}

int plan_difference(Settings const& settings) {
  auto const world = known_world(settings);
  if (!world) {
    return exit_bad_input;
  }
  auto const planned = plan::plan_node(*world, settings.node);
  if (!planned) {
    std::cerr << "privateer: " << planned.error().what() << "\n";
    return exit_bad_input;
  }
  auto const shared = std::make_shared<plan::NodePlan const>(*planned);
  return run_until_done("plan",
                        [&](net::asio::any_io_executor, Keep&) { return difference_main(shared, settings.wireguard); });
}

int render(Settings const& settings, PlanInput const& input, std::string const& output) {
  auto const world = load_world(settings, input);
  if (!world) {
    return exit_bad_input;
  }
  auto const plans = make_plans(*world, input.node);
  if (!plans) {
    return exit_bad_input;
  }
  std::error_code error;
  std::filesystem::create_directories(output, error);
  std::vector<std::pair<std::string, std::string>> files;
  auto const& plan = plans->front();
  files.emplace_back("bird.conf", plan.bird);
  files.emplace_back("plan.json", plan::to_json(plan) + "\n");
  files.emplace_back("plan.txt", plan::to_text(plan));
  for (auto const& device : plan.devices) {
    files.emplace_back(device.name + ".conf", setconf_text(device));
  }
  for (auto const& [name, text] : files) {
    if (auto const written = process::write_file_atomically(output + "/" + name, text, 0644); !written) {
      std::cerr << "privateer: " << written.error().what() << "\n";
      return exit_failed;
    }
    std::cout << output << "/" << name << "\n";
  }
  return exit_done;
}

int check(Settings const& settings) {
  if (settings.topology.empty()) {
    std::cout << "settings ok; no topology named\n";
    return exit_done;
  }
  auto const world = load_world(settings, {});
  if (!world) {
    return exit_bad_input;
  }
  // A node that is not in its own topology is the commonest mistake of all.
  if (world->topology.node(settings.node) == nullptr) {
    std::cerr << "privateer: node '" << settings.node << "' of the settings is not in " << settings.topology << "\n";
    return exit_bad_input;
  }
  print_weaknesses(world->topology);
  std::cout << "ok: " << world->topology.nodes.size() << " nodes, " << world->topology.links.size() << " links, "
            << world->topology.services.size() << " services\n";
  return exit_done;
}

}  // namespace privateer
