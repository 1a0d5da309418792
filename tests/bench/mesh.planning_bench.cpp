// What planning a large mesh costs, from the topology file's text to every node's files: load, allocate, weaknesses
// and proof, check of the proof, plans and files of all nodes, coverage by alternates. And whose files one more node
// changes.
// Prints a line each, in seconds of processor time (one thread; the machine may be busy); one run. Exit code 1 when
// 1,000 nodes take a second or more together, 10,000 ten (fewer nodes: no bar), when the proof is refused, when
// alternates cover less than 95 %, or when a newcomer touches more files than its degree and one.
//
//   mesh.planning.bench [nodes]
#include "mesh/plan/files.hpp"
#include "mesh/planning/report.hpp"
#include "routing/backup/survey.hpp"
#include "topology/load.hpp"
#include "topology/proof/certificate.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>

namespace {

// Sites of twenty nodes on a spiral around the earth, four providers; a central node for each two hundred, a regional
// one for each twenty.
std::string topology_text(std::string const& shape, int nodes, bool with_newcomer) {
  std::string text = "name: bench\ndomain: bench.example\nmesh: {prefix4: 10.0.0.0/8, shape: " + shape + "}\nsites:\n";
  int const sites = std::max(4, nodes / 20);
  char line[200];
  for (int i = 0; i < sites; ++i) {
    std::snprintf(line, sizeof line, "  - {name: s%d, provider: p%d, location: {latitude: %.1f, longitude: %.1f}}\n", i,
                  i % 4, 55.0 - 90.0 * i / sites, -180 + 360.0 * ((i * 7) % sites) / sites);
    text += line;
  }
  text += "nodes:\n";
  for (int i = 0; i < nodes; ++i) {
    char const* const role = i % 200 == 0 ? "central" : i % 20 == 1 ? "regional" : "edge";
    std::snprintf(line, sizeof line, "  - {name: n%05d, site: s%d, role: %s, underlay: [198.18.%d.%d]}\n", i,
                  i / 20 % sites, role, i / 250, i % 250 + 1);
    text += line;
  }
  return with_newcomer ? text + "  - {name: newcomer, site: s1, underlay: [198.19.255.1]}\n" : text;
}

plan::World world_of(std::string const& text, topology::Allocation const& previous) {
  auto loaded = topology::load_topology(text, "bench.yaml");
  if (!loaded) {
    std::fputs(base::text(loaded.error()).c_str(), stderr);
    std::exit(1);
  }
  plan::World world;
  world.topology = std::move(*loaded);
  auto allocation = topology::allocate(world.topology, previous, 1);
  if (!allocation) {
    std::fprintf(stderr, "%s\n", allocation.error().what().c_str());
    std::exit(1);
  }
  world.allocation = std::move(*allocation);
  return world;
}

std::map<std::string, std::string> all_files(plan::World const& world) {
  plan::Planner const planner(world);
  plan::PlanOptions options;
  options.assume_joined = true;
  std::map<std::string, std::string> out;
  for (auto const& node : world.topology.nodes) {
    auto& text = out[node.name];
    for (auto const& file : *plan::files_of(planner, node.name, options)) {
      text += file.name + "\n" + file.text;
    }
  }
  return out;
}

class Watch {
 public:
  void lap(char const* what) {
    double const s = static_cast<double>(std::clock() - since_) / CLOCKS_PER_SEC;
    total_ += s;
    std::printf("  %-36s %8.3f s\n", what, s);
    since_ = std::clock();
  }
  void rest() { since_ = std::clock(); }
  [[nodiscard]] double total() const { return total_; }

 private:
  std::clock_t since_ = std::clock();
  double total_ = 0;
};

// What is beyond its bar is said, and counted.
class Bars {
 public:
  void check(bool met, std::string const& what) {
    if (!met) {
      std::fprintf(stderr, "beyond its bar: %s\n", what.c_str());
      ++missed_;
    }
  }
  [[nodiscard]] int missed() const { return missed_; }

 private:
  int missed_ = 0;
};

void run(std::string const& shape, int nodes, Bars& bars) {
  auto const text = topology_text(shape, nodes, false);
  Watch watch;
  auto const world = world_of(text, {});
  std::printf("%s, %d nodes, %zu links, %zu areas\n", shape.c_str(), nodes, world.topology.links.size(),
              world.topology.areas.size());
  watch.lap("load, shape, allocate");
  auto const proved = proof::prove(world.topology);
  watch.lap("weaknesses and proof");
  auto const before = all_files(world);
  watch.lap("plans and files of all nodes");
  double const together_s = watch.total();
  std::printf("  %-36s %8.3f s\n", "together", together_s);
  if (!proved) {
    std::fputs(planning::weaknesses_text(world.topology, proved.error()).c_str(), stderr);
    std::exit(1);
  }
  watch.rest();
  bool const is_accepted = verify::check(*proved, planning::subject_of(world.topology)).has_value();
  watch.lap(is_accepted ? "check of the proof" : "check of the proof: REFUSED");
  bars.check(is_accepted, shape + ": the proof is refused");
  double const most_s = nodes >= 10000 ? 10 : nodes >= 1000 ? 1 : together_s + 1;
  bars.check(together_s < most_s, shape + ": planning took " + std::to_string(together_s) + " s");
  auto const survey = backup::survey(world.topology, 512);
  watch.lap("coverage by alternates");
  auto const joined = world_of(topology_text(shape, nodes, true), world.allocation);
  auto const after = all_files(joined);
  auto const touched =
      std::count_if(before.begin(), before.end(), [&](auto const& one) { return after.at(one.first) != one.second; });
  std::size_t size = 0;
  for (auto const& [name, files] : before) {
    size += files.size();
  }
  std::printf("  covered %.2f %%, proof %zu bytes, files %zu bytes\n", survey.percent(), proved->size(), size);
  auto const degree = static_cast<std::ptrdiff_t>(joined.topology.links_of("newcomer").size());
  std::printf("  one node more: %td links, files of %td others change\n", degree, touched);
  bars.check(survey.percent() >= 95, shape + ": alternates cover " + std::to_string(survey.percent()) + " %");
  bars.check(touched <= degree + 1, shape + ": a newcomer touches " + std::to_string(touched) + " files of others");
}

}  // namespace

int main(int argc, char** argv) {
  int const nodes = argc > 1 ? std::atoi(argv[1]) : 1000;
  Bars bars;
  for (auto const* shape : {"tiers", "cycles"}) {
    run(shape, nodes, bars);
  }
  return bars.missed() == 0 ? 0 : 1;
}
