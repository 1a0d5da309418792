#include "dns-backend/pool/origins.hpp"

#include "dns-backend/pool/draw.hpp"

#include <algorithm>

namespace pool {
namespace {

// Unless that is all of them.
template <class Unwanted>
void leave_out(Chosen& chosen, Unwanted unwanted) {
  if (!std::all_of(chosen.begin(), chosen.end(), unwanted)) {
    chosen.erase(std::remove_if(chosen.begin(), chosen.end(), unwanted), chosen.end());
  }
}

// Keeps the `count` with the smallest keys, in the order they were in.
template <class Key>
void keep_smallest(Chosen& chosen, std::size_t count, Key key) {
  struct Ranked {
    double key;
    std::size_t place;
  };
  boost::container::small_vector<Ranked, endpoints_in_place> ranked;
  for (Candidate const* const one : chosen) {
    ranked.push_back({key(*one), ranked.size()});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](Ranked const& a, Ranked const& b) { return a.key != b.key ? a.key < b.key : a.place < b.place; });
  ranked.resize(count);
  std::sort(ranked.begin(), ranked.end(), [](Ranked const& a, Ranked const& b) { return a.place < b.place; });
  for (std::size_t i = 0; i < count; ++i) {
    chosen[i] = chosen[ranked[i].place];  // its place is not before i
  }
  chosen.resize(count);
}

void keep_drawn(Chosen& chosen, std::size_t count, Draw const& draw) {
  keep_smallest(chosen, count, [&draw](Candidate const& one) {
    // Weights of 0 meet here only among themselves.
    return draw.with(one.endpoint->name).score(std::max<std::uint32_t>(one.endpoint->weight, 1));
  });
}

void keep_least_loaded(Chosen& chosen, std::size_t count) {
  double sum = 0;
  double known = 0;
  for (Candidate const* const one : chosen) {
    if (one->load != HealthTable::load_unknown) {
      sum += one->load;
      ++known;
    }
  }
  double const mean = known == 0 ? 0 : sum / known;
  keep_smallest(chosen, count, [mean](Candidate const& one) {
    return one.load == HealthTable::load_unknown ? mean : static_cast<double>(one.load);
  });
}

}  // namespace

void choose_origins(Pool const& pool, LoadBalancer const& balancer, Asking const& asking, Chosen& chosen,
                    std::uint8_t& scope_bits) {
  leave_out(chosen, [](Candidate const* one) { return one->endpoint->weight == 0; });
  if (pool.shed_at_permille > 0) {
    leave_out(chosen, [&pool](Candidate const* one) {
      return one->load != HealthTable::load_unknown && one->load >= pool.shed_at_permille;
    });
  }
  bool const all = pool.origin_steering == OriginSteering::all;
  std::size_t const count = pool.origins_max > 0 ? pool.origins_max : all ? chosen.size() : 1;
  if (count >= chosen.size()) {
    return;
  }
  switch (pool.origin_steering) {
    case OriginSteering::all:
      chosen.resize(count);
      break;
    case OriginSteering::random:
      keep_drawn(chosen, count, Draw(balancer.name, 'o').with(time_step(asking.now_s, balancer.ttl)));
      break;
    case OriginSteering::hash: {
      geo::Client const prefix = hashed_prefix(asking.client);
      scope_bits = std::max({scope_bits, prefix.bits, std::uint8_t{1}});
      keep_drawn(chosen, count, Draw(balancer.name, 'o').with(prefix));
      break;
    }
    case OriginSteering::least_load:
      keep_least_loaded(chosen, count);
      break;
  }
}

}  // namespace pool
