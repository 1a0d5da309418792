// Loop-free alternates in a mesh of several OSPF areas, where a node does not send along the cheapest path of the whole
// mesh but by the rules of RFC 2328 16: inside its area by that area's costs, elsewhere over the border node that is
// nearest by its own costs plus what that announces; a border node uses its areas' own paths first, and otherwise what
// the backbone announces, never the summaries of another area.
//
// So the inequalities of RFC 5286 do not say where a packet goes (a border node may be on the cheapest path of an area
// and yet send by another), and are not used. Instead every node's next hops of before the failure are worked out from
// the declared areas and costs, and a neighbour is an alternate (6.3) only when every way that a packet may take from
// it, over all next hops of equal cost, arrives without coming back.
//
// What is not sure is no alternate: a service with an originator that is itself a border node (RFC 2328 16.4.1 leaves
// BIRD a choice), a destination that only another part of its own area can reach, areas that do not touch the
// backbone.
//
// Threads: one object, one thread at a time; it keeps scratch space between calls.
#pragma once

#include "routing/backup/alternates.hpp"
#include "routing/backup/survey.hpp"
#include "topology/graph.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace backup {

class Areas {
 public:
  // `links` are those that routing may use now. With a `node`, ways are worked out only as far as its alternates need
  // them: its own areas, the backbone and the destination's. Empty: everywhere.
  Areas(topology::Topology const& topology, std::vector<topology::Link> const& links, std::string const& node = {});
  Areas(Areas const&) = delete;
  Areas& operator=(Areas const&) = delete;

  // As backup::protections for one area. `node` must be the one above, if there was one.
  std::vector<Protection> protections(std::string const& node, Destination const& destination);

  // As backup::survey; of what is not sure, each node is a case that is not covered.
  Survey survey(std::vector<Destination> const& all, std::size_t most_destinations);

 private:
  using Number = std::uint32_t;
  // A node in one of its areas.
  struct Place {
    Number node;
    Number area;
    std::vector<topology::Graph::Edge> edges;  // `to` is a place
  };
  // What a node does with packets to the destination.
  struct Way {
    std::uint32_t cost = topology::Graph::unreachable;
    bool preferred = false;      // inside an area that is not the backbone: before all others (RFC 2328 16.4.1)
    std::vector<Number> next{};  // nodes
  };
  // The part of it that is about one originator.
  struct Route {
    Number place;
    bool inside = false;  // an area's own path
  };

  Number place_of(Number node, std::string const& area);
  [[nodiscard]] bool is_border(Number node) const { return places_of_[node].size() > 1; }
  // False: not known for sure, and then there are no ways.
  bool find_ways(Destination const& destination);
  void ways_to(Number originator);
  void spread(std::vector<std::pair<std::uint32_t, Number>> const& seeds);
  void route_by(Number area, bool inside);
  void merge();
  [[nodiscard]] bool always_arrives(Number from, Number avoided);
  [[nodiscard]] std::optional<Alternate> judge(Number self, topology::Graph::Edge const& edge, Number primary);

  topology::Graph graph_;
  bool sound_ = true;
  std::unordered_map<std::string_view, Number> numbers_;
  std::map<std::string, Number> areas_;
  std::vector<Place> places_;
  std::vector<std::vector<Number>> places_of_;  // of each node, its own area's first
  std::vector<std::vector<Number>> members_;    // of each area: places
  std::vector<bool> relevant_;                  // areas

  // Of the destination at hand.
  std::vector<bool> originates_;
  std::vector<Way> ways_;
  std::vector<Number> with_way_;
  // Of the originator at hand.
  std::vector<std::uint32_t> costs_;  // of places
  std::vector<Number> reached_;       // places
  std::vector<Route> routes_;         // of nodes
  std::vector<Number> routed_;        // nodes
  // Of a walk.
  std::vector<std::uint32_t> seen_;
  std::uint32_t walk_ = 0;
  std::vector<Number> ahead_;
};

}  // namespace backup
