// What a single loss does to a mesh: which nodes it separates, which services and segments it silences, and which link
// would mend it. And the groups that may fail at once.
//
// Threads: pure functions.
#pragma once

#include "topology/graph.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace proof {

// Nodes and links that may fail together: all of a site, of a provider, of a risk that the topology names.
struct Group {
  enum class Kind { site, provider, risk } kind;
  std::string name;
  std::vector<std::uint32_t> nodes;  // platform nodes by their number in the graph, ascending
  std::vector<std::uint32_t> links;  // those named by themselves; a link of a lost node is lost anyway
};

// By kind and name. A site or provider without platform nodes is none.
std::vector<Group> groups_of(topology::Topology const& topology, topology::Graph const& graph);

// What must keep a node through every loss: a service the nodes that serve it, a segment its gateways.
struct Reliance {
  enum class Kind { service, segment } kind;
  std::string name;
  std::vector<std::uint32_t> nodes;  // ascending
};
std::vector<Reliance> reliances_of(topology::Topology const& topology, topology::Graph const& graph);

char const* name_of(Group::Kind kind);     // "site"
char const* name_of(Reliance::Kind kind);  // "service"

struct Mend {
  std::string a;  // a < b
  std::string b;
  std::uint32_t cost = 0;  // by distance, as tiers and cycles reckon it
};

struct Weakness {
  enum class Kind { node, link, site, provider, risk, nothing } kind;  // nothing: it is in pieces as it stands
  std::string name;                                                    // what fails
  std::string area = {};  // it separates within this OSPF area, though links of others hold; empty: altogether
  std::vector<std::string> cut_off;   // nodes then separated from the largest remaining part, by name
  std::size_t cut_off_count = 0;      // all of them: names are listed until names_limit of them were in the report
  std::vector<std::string> silenced;  // "service dns", "segment acme": none of its nodes remains
  std::size_t parts = 1;              // into which the rest falls
  std::optional<Mend> mend;           // the cheapest link that joins the first separated part again, where one can
};
inline constexpr std::size_t names_limit = 200'000;

char const* name_of(Weakness::Kind kind);

// Every node, link, site, provider and risk whose loss separates the remaining platform nodes or leaves a service or a
// segment without any, in this order and by name. Empty: nothing single disconnects. Nodes and links in linear time
// (Tarjan), groups by taking them out. With several OSPF areas each of them is looked at as OSPF does, too: what
// separates one is told with its area where the mesh as a whole holds.
std::vector<Weakness> weaknesses(topology::Topology const& topology);

// Links that together mend all that links can mend, found one after the other: never more than `most`.
std::vector<Mend> mends(topology::Topology topology, std::size_t most);

// "the loss of site ams cuts off edge-1 edge-2; the link edge-1--fra-1 would mend it"
std::string to_text(Weakness const& weakness);

}  // namespace proof
