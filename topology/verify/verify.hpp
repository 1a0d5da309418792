// Checks a certificate that no single node, link or shared-risk group disconnects a mesh. Shares nothing with what
// makes certificates (topology/proof): it knows their form, told in certificate.hpp there, and takes nothing on trust.
//
// What is shown, in time linear in the certificate's size:
//  - order: the first and last node are linked and every other node has a link to an earlier and one to a later one.
//    Take any node away: those before it still reach the first by going back, those behind it the last by going
//    onward, and the two are linked (or one of them is gone and nobody needs it). So no node cuts, and with three nodes
//    or more no link does either: a cut link would make one of its ends cut.
//  - trees: for each group, links that are not lost and join every remaining node, one at a time, to those before.
//  - survivors: a service or segment has two nodes or more, and for each group that takes one, one that remains.
//  - areas: with links in several OSPF areas, order and trees of each of them: of the backbone by its own links, of
//    every other area by its links and the backbone, which is one node there. OSPF joins them so and no other way.
//
// Threads: pure functions.
#pragma once

#include "base/result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace verify {

enum class errc {
  not_a_certificate = 1,  // not JSON, too large, or not of the form
  another_graph,          // whole in itself, but about another graph than the one at hand, or its digest is not its own
  not_proved,             // what it claims does not follow
};
boost::system::error_code make_error_code(errc code);

inline constexpr std::size_t size_limit = 256U << 20U;  // bytes

// The graph at hand, by names. Order matters nowhere.
struct Group {
  std::string kind;  // "site", "provider", "risk"
  std::string name;
  std::vector<std::string> nodes;
  std::vector<std::pair<std::string, std::string>> links;  // those it names by themselves
};
struct Reliance {
  std::string kind;  // "service", "segment"
  std::string name;
  std::vector<std::string> nodes;
};
struct Area {
  std::string name;  // "0.0.0.1"
  std::vector<std::pair<std::string, std::string>> links;
};
struct Subject {
  std::vector<std::string> nodes;
  std::vector<std::pair<std::string, std::string>> links;
  std::vector<Group> groups;
  std::vector<Reliance> reliances;
  std::vector<Area> areas = {};  // those of its links; empty when all are in one
};

// The digest that a certificate of this graph carries.
std::string digest_of(Subject const& subject);

struct Verified {
  std::string topology;
  std::string digest;
  std::size_t nodes = 0;
  std::size_t links = 0;
  std::size_t groups = 0;
  std::size_t reliances = 0;
  std::size_t areas = 0;  // 0: all links are in one
};

// Whether the certificate proves what it claims of the graph it carries. The failure's sentence begins with the place:
// "order[17]: node 'edge-4' has no link to an earlier node".
base::Result<Verified> check(std::string_view certificate);
// And that this graph is the one at hand.
base::Result<Verified> check(std::string_view certificate, Subject const& subject);

}  // namespace verify

template <>
struct boost::system::is_error_code_enum<verify::errc> : std::true_type {};
