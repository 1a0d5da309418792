// For how long a loop stands still while the detours of a large mesh are made: on the loop itself, as it was, and by a
// thread beside it (mesh/repair/preparer.hpp). The loop ticks every millisecond; the longest pause between two ticks
// counts. Prints a line for each of some nodes; one run. The machine should be idle.
//
//   mesh.repair.bench [nodes]
#include "mesh/repair/preparer.hpp"
#include "topology/load.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

// Sites of twenty nodes on a spiral around the earth; a central node for each two hundred, a regional one for each
// twenty.
std::string topology_text(char const* shape, int nodes) {
  std::string text =
      "name: bench\ndomain: bench.example\nmesh: {prefix4: 10.0.0.0/8, shape: " + std::string(shape) + "}\nsites:\n";
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
  return text;
}

repair::Preparer::World world_of(std::string const& text) {
  auto loaded = topology::load_topology(text, "bench.yaml");
  if (!loaded) {
    std::fputs(base::text(loaded.error()).c_str(), stderr);
    std::exit(1);
  }
  plan::World world;
  world.topology = std::move(*loaded);
  world.allocation = topology::allocate(world.topology, {}, 1).value();
  wireguard::KeyBytes bytes{};
  for (auto const& node : world.topology.nodes) {
    for (std::size_t at = 0; at < sizeof(int) && ++bytes.at(at) == 0; ++at) {
    }
    world.keys.emplace(node.name, wireguard::PublicKey(bytes));
  }
  return std::make_shared<plan::World const>(std::move(world));
}

class Ticking {
 public:
  explicit Ticking(boost::asio::io_context& io) : timer_(io) { tick(); }
  [[nodiscard]] double longest_ms() const { return longest_.count(); }
  void stop() { timer_.cancel(); }

 private:
  void tick() {
    timer_.expires_after(std::chrono::milliseconds(1));
    timer_.async_wait([this](boost::system::error_code error) {
      auto const now = Clock::now();
      longest_ = std::max(longest_, std::chrono::duration<double, std::milli>(now - last_));
      last_ = now;
      if (!error) {
        tick();
      }
    });
  }
  boost::asio::steady_timer timer_;
  Clock::time_point last_ = Clock::now();
  std::chrono::duration<double, std::milli> longest_{0};
};

double longest_pause_ms(std::function<void(boost::asio::io_context&, std::function<void()>)> const& work) {
  boost::asio::io_context io;
  Ticking ticking(io);
  boost::asio::post(io, [&] { work(io, [&] { ticking.stop(); }); });
  io.run();
  return ticking.longest_ms();
}

void measure(char const* shape, repair::Preparer::World const& world, std::string const& node) {
  auto const plan = std::make_shared<plan::NodePlan const>(plan::plan_node(*world, node).value());
  std::size_t count = 0;
  auto const on_loop = longest_pause_ms([&](auto&, auto const& done) {
    count = repair::detours_of(*world, *plan).size();
    done();
  });
  std::unique_ptr<repair::Preparer> preparer;
  auto const beside = longest_pause_ms([&](boost::asio::io_context& io, auto const& done) {
    preparer =
        std::make_unique<repair::Preparer>(io.get_executor(), [done, first = true](repair::Detours const&) mutable {
          if (!first) {
            done();
          }
          first = false;
        });
    preparer->prepare(world, plan);
  });
  preparer.reset();
  std::printf("  %-7s %s: %3zu links, %7zu detours; longest pause %8.1f ms on the loop, %6.1f ms beside it\n", shape,
              node.c_str(), plan->devices.size(), count, on_loop, beside);
}

}  // namespace

int main(int argc, char** argv) {
  int const nodes = argc > 1 ? std::atoi(argv[1]) : 10000;
  std::printf("%d nodes\n", nodes);
  for (char const* shape : {"tiers", "cycles"}) {
    auto const world = world_of(topology_text(shape, nodes));
    for (char const* node : {"n00000", "n00001", "n00002"}) {
      measure(shape, world, node);
    }
  }
}
