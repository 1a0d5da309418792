// What one lookup has to choose from: the candidates of a balancer's pools and of the pools in them, each with its
// health as it was read once, so that one answer is made from one view.
//
// Threads: a value of one call of select().
#pragma once

#include "dns-backend/pool/select.hpp"

namespace pool {

struct Candidate {
  Endpoint const* endpoint = nullptr;
  HealthTable::View view = {};
  std::uint32_t load = HealthTable::load_unknown;
  std::uint32_t stable_s = HealthTable::stable_unknown;
  bool ready = true;
};
// Points into Candidates, which no longer grows then.
using Chosen = boost::container::small_vector<Candidate const*, endpoints_in_place>;

class Candidates {
 public:
  // A pool and where its parts are: its own candidates, then the nodes of its nested pools up to `end`.
  struct Node {
    Pool const* pool;
    std::size_t first, last;  // own candidates
    std::size_t end;          // the node after the last of those below
  };

  Candidates(LoadBalancer const& balancer, Asking const& asking, Family family)
      : balancer_(balancer), asking_(asking), family_(family) {}

  // Reads the pool and what is nested in it; the number of its node. A disabled pool has no candidates.
  std::size_t add(Pool const& pool) { return add(pool, 0); }
  // After the last add(): if any candidate is ready, those that are not are none any more.
  void settle_readiness();

  [[nodiscard]] bool counts(Candidate const& candidate) const { return !ready_only_ || candidate.ready; }
  // In the pool or below it.
  [[nodiscard]] bool any_in(std::size_t node) const;
  [[nodiscard]] bool any() const;
  // Of the candidates that are up and whose load is known, in the pool and below it; nullopt: there are none.
  [[nodiscard]] std::optional<double> mean_load(std::size_t node) const;

  [[nodiscard]] Node const& node(std::size_t number) const { return nodes_[number]; }
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] Candidate const& at(std::size_t number) const { return all_[number]; }
  // The candidates of a node and of all below it are from first to before this one.
  [[nodiscard]] std::size_t end_of(std::size_t node) const;

 private:
  static constexpr std::size_t candidates_in_place = 64;
  static constexpr std::size_t nodes_in_place = 24;

  std::size_t add(Pool const& pool, unsigned depth);

  LoadBalancer const& balancer_;
  Asking const& asking_;
  Family family_;
  bool ready_only_ = false;
  boost::container::small_vector<Candidate, candidates_in_place> all_;
  boost::container::small_vector<Node, nodes_in_place> nodes_;
};

}  // namespace pool
