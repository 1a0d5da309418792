// Commands that need no daemon: plan, render, verify-proof, check.
#include "mesh/privateer/commands.hpp"

#include "base/process/service.hpp"
#include "mesh/plan/files.hpp"
#include "mesh/planning/report.hpp"
#include "mesh/preview/preview.hpp"
#include "mesh/privateer/looking.hpp"
#include "mesh/privateer/run.hpp"
#include "routing/repair_links/repair_links.hpp"
#include "topology/load.hpp"
#include "topology/proof/certificate.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>

namespace privateer {
namespace {

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// nullopt: everything that is wrong was printed.
std::optional<planning::Worlds> load_worlds(Settings const& settings, PlanInput const& input) {
  planning::Sources sources;
  sources.topology = input.topology.empty() ? settings.topology : input.topology;
  sources.allocation = input.allocation;
  sources.running = input.running;
  sources.snapshots = settings.state + "/worlds";
  sources.keys = input.keys;
  auto worlds = planning::load_worlds(sources, wall_clock_s());
  if (!worlds) {
    std::cerr << worlds.error();
    return std::nullopt;
  }
  return std::move(*worlds);
}

int fail(base::Failure const& failure, int code) {
  std::cerr << "privateer: " << failure.what() << "\n";
  return code;
}

// The certificate, into a file or ("-") to stdout. Without one: why there is none.
int write_proof(topology::Topology const& topology, std::string const& file) {
  auto const declared = repair_links::without(topology);  // what the file says, as the checker will read it
  auto const proved = proof::prove(declared);
  if (!proved) {
    std::cerr << planning::weaknesses_text(declared, proved.error())
              << "privateer: there is no proof: the mesh does not survive every single loss\n";
    return exit_failed;
  }
  if (file == "-") {
    std::cout << *proved;
    return exit_done;
  }
  if (auto const written = process::write_file_atomically(file, *proved, 0644); !written) {
    return fail(written.error(), exit_failed);
  }
  std::cout << "proof written to " << file << "; check it with: privateer verify-proof " << file << "\n";
  return exit_done;
}

std::optional<std::string> read_stream_or_file(std::string const& file) {
  if (file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  auto text = process::read_file(file, verify::size_limit);
  if (!text) {
    std::cerr << "privateer: " << text.error().what() << "\n";
    return std::nullopt;
  }
  return std::move(*text);
}

net::Task<int> difference_main(std::shared_ptr<plan::NodePlan const> plan, preview::Sources sources, bool as_json) {
  auto const machine = co_await preview::look(std::move(sources), plan);
  if (!machine) {
    co_return fail(machine.error(), exit_failed);
  }
  auto const found = preview::preview(*plan, *machine);
  std::cout << (as_json ? preview::to_json(*plan, found) + "\n" : preview::to_text(found));
  co_return exit_done;
}

}  // namespace

int plan(Settings const& settings, PlanInput const& input, PlanOutput const& output) {
  auto const worlds = load_worlds(settings, input);
  if (!worlds) {
    return exit_bad_input;
  }
  if (output.proof != "-") {
    planning::ReportOptions const options{input.node, output.whole};
    auto const text = output.json ? planning::plan_json(*worlds, options) : planning::plan_text(*worlds, options);
    if (!text) {
      return fail(text.error(), exit_bad_input);
    }
    std::cout << *text << (output.json ? "\n" : "");
  }
  return output.proof.empty() ? exit_done : write_proof(worlds->wanted.topology, output.proof);
}

int plan_difference(Settings const& settings, bool as_json) {
  auto const known = looking::known_world(place_of(settings));
  for (auto const& sentence : known.damaged) {
    std::cerr << "privateer: " << sentence << "\n";
  }
  auto const& world = known.world;
  if (!world) {
    std::cerr << "privateer: " << known.problem << "\n";
    return exit_bad_input;
  }
  plan::PlanOptions options;  // as the agent plans
  options.bird.session_log = settings.bird_sessions;
  options.bird.log_file = settings.bird_start.empty() ? "" : bird_log(settings);
  auto const nft = rules_command(settings);
  options.rules = !nft.empty();
  auto const planned = plan::plan_node(*world, settings.node, options);
  if (!planned) {
    std::cerr << "privateer: " << planned.error().what() << "\n";
    return exit_bad_input;
  }
  auto const shared = std::make_shared<plan::NodePlan const>(*planned);
  preview::Sources const sources{settings.wireguard, settings.state, settings.bird_config, settings.bird_control, nft,
                                 "/proc/sys"};
  return run_until_done("plan",
                        [&](net::asio::any_io_executor, Keep&) { return difference_main(shared, sources, as_json); });
}

int verify_proof(Settings const& settings, PlanInput const& input, std::string const& certificate_file) {
  auto const certificate = read_stream_or_file(certificate_file);
  if (!certificate) {
    return exit_bad_input;
  }
  auto const file = input.topology.empty() ? settings.topology : input.topology;
  std::optional<verify::Subject> subject;
  if (!file.empty()) {
    auto const text = process::read_file(file);
    if (!text) {
      return fail(text.error(), exit_bad_input);
    }
    auto const topology = topology::load_topology(*text, file);
    if (!topology) {
      std::cerr << base::text(topology.error());
      return exit_bad_input;
    }
    subject = planning::subject_of(*topology);
  }
  auto const checked = subject ? verify::check(*certificate, *subject) : verify::check(*certificate);
  if (!checked) {
    std::cerr << "privateer: " << certificate_file << ": " << checked.error().what() << "\n";
    return exit_failed;
  }
  std::cout << "proved for " << checked->topology << ": no single one of " << checked->nodes << " nodes, "
            << checked->links << " links and " << checked->groups << " groups disconnects anything or silences one of "
            << checked->reliances << " services and segments"
            << (checked->areas == 0 ? "" : ", also as OSPF joins its " + std::to_string(checked->areas) + " areas")
            << "\n"
            << "graph " << checked->digest
            << (subject ? ", that of " + file : std::string(", compared with no topology (name one with --topology)"))
            << "\n";
  return exit_done;
}

int render(Settings const& settings, PlanInput const& input, RenderOutput const& output) {
  auto const worlds = load_worlds(settings, input);
  if (!worlds) {
    return exit_bad_input;
  }
  plan::PlanOptions options;
  options.assume_joined = true;
  plan::Planner const planner(worlds->wanted);
  auto const planned = planner.node(input.node, options);
  plan::FileOptions file_options;
  if (!output.private_key_file.empty()) {
    file_options.private_key_file = output.private_key_file;
  }
  auto files = plan::files_of(planner, input.node, options, file_options);
  if (!files || !planned) {
    return fail(files ? planned.error() : files.error(), exit_bad_input);
  }
  for (auto const& device : planned->devices) {
    bool const keyless = std::any_of(device.peers.begin(), device.peers.end(), [](wireguard::Peer const& peer) {
      return peer.public_key == wireguard::PublicKey();
    });
    if (keyless) {
      std::cerr << "privateer: " << device.alias
                << ": the other node has not joined, so its key is missing in the files\n";
    }
  }
  files->push_back({"plan.json", plan::to_json(*planned) + "\n"});
  files->push_back({"plan.txt", plan::to_text(*planned)});
  auto const directory = output.directory.empty() ? input.node : output.directory;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  for (auto const& [name, text] : *files) {
    if (auto const written = process::write_file_atomically(directory + "/" + name, text, 0644); !written) {
      return fail(written.error(), exit_failed);
    }
    std::cout << directory << "/" << name << "\n";
  }
  return exit_done;
}

int check(Settings const& settings) {
  if (settings.topology.empty()) {
    std::cout << "settings ok; no topology named\n";
    return exit_done;
  }
  auto const worlds = load_worlds(settings, {});
  if (!worlds) {
    return exit_bad_input;
  }
  auto const& topology = worlds->wanted.topology;
  // A node that is not in its own topology is the commonest mistake of all.
  if (topology.node(settings.node) == nullptr) {
    std::cerr << "privateer: node '" << settings.node << "' of the settings is not in " << settings.topology << "\n";
    return exit_bad_input;
  }
  std::cout << planning::soundness_text(topology);
  std::cout << "ok: " << topology.nodes.size() << " nodes, " << topology.links.size() << " links, "
            << topology.services.size() << " services\n";
  return exit_done;
}

}  // namespace privateer
