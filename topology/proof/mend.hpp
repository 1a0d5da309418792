// What is lost at once, what then remains, and the cheapest link that would join it again. Internal to this module.
//
// Threads: pure functions; a Mender is immutable.
#pragma once

#include "topology/proof/weaknesses.hpp"
#include "topology/shape/shape.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace proof {

struct Loss {
  std::vector<bool> nodes;
  std::vector<bool> links;
};

Loss loss_of(Group const& group, topology::Graph const& graph);

// The connected parts that remain, each in order of node number; the largest first, of two equal ones that with the
// smaller first node.
std::vector<std::vector<std::uint32_t>> parts_without(topology::Graph const& graph, Loss const& loss);

class Mender {
 public:
  Mender(topology::Topology const& topology, topology::Graph const& graph);

  // The cheapest link from the first part to the second that is neither there nor lost; of equally cheap ones that
  // between the nodes with the fewest links. nullopt: no two of them can open a session.
  [[nodiscard]] std::optional<Mend> cheapest(std::vector<std::vector<std::uint32_t>> const& parts,
                                             Loss const& loss) const;

 private:
  [[nodiscard]] std::vector<std::uint32_t> candidates(std::vector<std::uint32_t> const& part) const;
  [[nodiscard]] std::uint32_t cost(std::uint32_t a, std::uint32_t b) const;
  [[nodiscard]] bool linked(std::uint32_t a, std::uint32_t b) const;

  topology::Graph const& graph_;
  topology::Mesh const& mesh_;
  std::vector<topology::Node const*> nodes_;            // by number
  std::vector<std::optional<shape::Position>> places_;  // by number
};

}  // namespace proof
