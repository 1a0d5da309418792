#include "mesh/planning/worlds.hpp"

#include "base/process/service.hpp"
#include "mesh/agent/belief/snapshots.hpp"
#include "mesh/signed_world/signed_world.hpp"
#include "routing/repair_links/repair_links.hpp"
#include "topology/load.hpp"
#include "topology/room/room.hpp"

#include <map>
#include <sstream>

namespace planning {
namespace {

using Problem = std::optional<std::string>;  // every line of what is wrong; nothing: all is well

// A world as it travels, or as a snapshot with its checksum. Whose word it is does not matter for looking at it.
base::Result<plan::WorldDocument> read_document(std::string const& file) {
  auto const text = process::read_file(file, 2 * plan::world_size_limit + 200);
  if (!text) {
    return text.error();
  }
  auto const world =
      text->starts_with("sovereign-world ") ? agent::decode_snapshot(*text) : signed_world::parse_signed_world(*text);
  return world ? plan::parse_world_document(world->text) : world.error();
}

Problem load_running(Sources const& sources, Worlds& out, std::string& running_text) {
  std::optional<plan::WorldDocument> document;
  std::string from = sources.running;
  if (!sources.running.empty()) {
    auto read = read_document(sources.running);
    if (!read) {
      return sources.running + ": " + read.error().what() + "\n";
    }
    document = std::move(*read);
  } else if (!sources.snapshots.empty()) {
    // A damaged generation is passed over here as at an agent's start; the agent reports it.
    std::vector<std::string> damaged;
    if (auto const world = agent::Snapshots(sources.snapshots).newest(damaged)) {
      auto parsed = plan::parse_world_document(world->text);
      document = parsed ? std::optional(std::move(*parsed)) : std::nullopt;
    }
    from = sources.snapshots;
  }
  if (!document) {
    return std::nullopt;
  }
  auto world = plan::build_world(*document, from);
  if (!world) {
    return from + ": " + world.error().what() + "\n";
  }
  out.running = std::move(*world);
  running_text = std::move(document->topology);
  out.running_from = "revision " + std::to_string(out.running->revision) + ", of " + from;
  return std::nullopt;
}

Problem read_keys(std::string const& file, plan::World& world) {
  auto const text = process::read_file(file);
  if (!text) {
    return text.error().what() + "\n";
  }
  std::istringstream lines(*text);
  std::string problems;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::string node;
    std::string key;
    if (!(words >> node) || node.front() == '#') {
      continue;
    }
    words >> key;
    auto const parsed = wireguard::PublicKey::from_base64(key);
    if (!parsed) {
      problems += file + ":" + std::to_string(number) + ":" + std::to_string(line.find(node) + node.size() + 2) +
                  ": not a public key (a line is: NODE, then what 'wg pubkey' prints)\n";
    } else if (world.topology.node(node) == nullptr) {
      problems += file + ":" + std::to_string(number) + ":" + std::to_string(line.find(node) + 1) +
                  ": the topology has no node '" + node + "'\n";
    } else {
      world.keys.insert_or_assign(node, *parsed);
    }
  }
  return problems.empty() ? std::nullopt : std::optional(problems);
}

// What was measured goes on, as the controller has it.
void keep_measured_costs(topology::Topology const& running, topology::Topology& wanted) {
  std::map<std::string, std::uint32_t> costs;
  for (auto const& link : running.links) {
    if (running.measured(link)) {
      costs.emplace(link.name(), link.cost);
    }
  }
  for (auto& link : wanted.links) {
    auto const found = costs.find(link.name());
    if (found != costs.end() && wanted.measured(link)) {
      link.cost = found->second;
    }
  }
}

Problem load_wanted(Sources const& sources, std::int64_t now_s, Worlds& out, std::string const& running_text) {
  if (sources.topology.empty()) {
    return "no topology: name one with --topology or in the settings\n";
  }
  auto const text = process::read_file(sources.topology);
  if (!text) {
    return text.error().what() + "\n";
  }
  auto topology = topology::load_topology(*text, sources.topology);
  if (!topology) {
    return base::text(topology.error());
  }
  topology::Allocation previous = out.running ? out.running->allocation : topology::Allocation{};
  if (!sources.allocation.empty()) {
    auto const lines = process::read_file(sources.allocation);
    if (!lines) {
      return lines.error().what() + "\n";
    }
    auto loaded = topology::load_allocation(*lines, sources.allocation);
    if (!loaded) {
      return base::text(loaded.error());
    }
    previous = std::move(*loaded);
  }
  repair_links::complete(*topology, previous, *text == running_text);
  auto allocation = topology::allocate(*topology, previous, now_s);
  if (!allocation) {
    auto const problems = topology::room_problems(*text, sources.topology, *topology, previous, now_s);
    return problems.empty() ? sources.topology + ": " + allocation.error().what() + "\n" : base::text(problems);
  }
  out.wanted.topology = std::move(*topology);
  out.wanted.allocation = std::move(*allocation);
  if (out.running) {
    out.wanted.revision = out.running->revision;
    out.wanted.draining = out.running->draining;
    out.wanted.next_keys = out.running->next_keys;
    out.wanted.generations = out.running->generations;
    keep_measured_costs(out.running->topology, out.wanted.topology);
    for (auto const& [node, key] : out.running->keys) {
      if (out.wanted.topology.node(node) != nullptr) {
        out.wanted.keys.emplace(node, key);
      }
    }
  }
  return sources.keys.empty() ? std::nullopt : read_keys(sources.keys, out.wanted);
}

}  // namespace

boost::system::result<Worlds, std::string> load_worlds(Sources const& sources, std::int64_t now_s) {
  Worlds out;
  std::string running_text;
  if (auto problem = load_running(sources, out, running_text)) {
    return *problem;
  }
  if (auto problem = load_wanted(sources, now_s, out, running_text)) {
    return *problem;
  }
  return out;
}

}  // namespace planning
