// What a lookup and a published change cost in a zone of a million names.
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/zone_builder.hpp"

#include <benchmark/benchmark.h>

#include <random>

namespace {

using store::Node;

dns::Name host(std::size_t number) {
  return dns::Name::parse("host" + std::to_string(number) + ".customers.platform.example.org").value();
}

Node address(std::size_t number) {
  Node node;
  node.rrsets.push_back({dns::type_a, 60, {"192.0.2." + std::to_string(number % 256)}});
  return node;
}

store::Zone zone_of(std::size_t names, bool nsec3) {
  store::Zone zone;
  zone.apex = dns::Name::parse("example.org").value();
  if (nsec3) {
    zone.metadata["NSEC3PARAM"] = {"1 0 0 -"};
  }
  std::vector<store::OwnedNode> nodes;
  nodes.reserve(names);
  for (std::size_t i = 0; i < names; ++i) {
    nodes.push_back({host(i).key(), address(i)});
  }
  store::fill(zone, std::move(nodes));
  return zone;
}

std::vector<dns::Name> random_names(std::size_t names) {
  std::mt19937_64 random(1);
  std::vector<dns::Name> chosen;
  for (int i = 0; i < 20000; ++i) {
    chosen.push_back(host(random() % names));
  }
  return chosen;
}

void lookup(benchmark::State& state) {
  auto const names = static_cast<std::size_t>(state.range(0));
  store::Zone const zone = zone_of(names, false);
  std::vector<dns::Name> const chosen = random_names(names);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(zone.entries.find(chosen[next].key()));
    next = (next + 1) % chosen.size();
  }
}
BENCHMARK(lookup)->Arg(1000)->Arg(100000)->Arg(1000000);

void neighbour(benchmark::State& state) {
  auto const names = static_cast<std::size_t>(state.range(0));
  store::Zone const zone = zone_of(names, false);
  std::vector<dns::Name> const chosen = random_names(names);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(zone.entries.upper_bound(chosen[next].key()));
    next = (next + 1) % chosen.size();
  }
}
BENCHMARK(neighbour)->Arg(1000000);

// A changed name: copy the zone's head, set the name, publish; with `readers` the old version is still held.
void publish_change(benchmark::State& state) {
  auto const names = static_cast<std::size_t>(state.range(0));
  store::Published<store::Zone> published(std::make_shared<store::Zone const>(zone_of(names, state.range(1) != 0)));
  std::vector<dns::Name> const chosen = random_names(names);
  std::size_t next = 0;
  std::vector<store::Touched> touched;
  for (auto _ : state) {
    auto zone = std::make_shared<store::Zone>(*published.copy());
    touched.clear();
    store::set_node(*zone, chosen[next % chosen.size()], address(next + 7), touched);
    published.publish(std::move(zone));
    ++next;
  }
}
BENCHMARK(publish_change)->Args({1000, 0})->Args({1000000, 0})->Args({1000000, 1});

void insert_into_map(benchmark::State& state) {
  auto const names = static_cast<std::size_t>(state.range(0));
  store::EntrySet map = zone_of(names, false).entries;
  std::vector<dns::Name> const chosen = random_names(names);
  std::vector<store::EntryPtr> entries;
  for (dns::Name const& name : chosen) {
    auto entry = std::make_shared<store::Entry>();
    entry->key = name.key();
    entries.push_back(std::move(entry));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    map = map.insert(entries[next]);
    next = (next + 1) % chosen.size();
  }
}
BENCHMARK(insert_into_map)->Arg(1000000);

void parse_name(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(dns::Name::parse("WWW.customers.platform.example.org."));
  }
}
BENCHMARK(parse_name);

void build_zone(benchmark::State& state) {
  auto const names = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(zone_of(names, false));
  }
}
BENCHMARK(build_zone)->Arg(100000)->Unit(benchmark::kMillisecond);

}  // namespace
