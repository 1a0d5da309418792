// A certificate that no single node, link, site, provider or risk disconnects a mesh, or leaves a service or a segment
// without a node. Anybody can check it in linear time without trusting whoever made it (topology/verify does).
//
// What it holds, as one JSON object:
//   format     "sovereign-mesh-proof-1"
//   topology   the name of the deployment
//   digest     SHA-256 of the graph's text (below), so that a certificate belongs to one graph
//   nodes      names in order; everywhere else a node is its place in this list
//   links      [a, b] in order; everywhere else a link is its place in this list
//   groups     {kind, name, nodes, links}: what may fail at once
//   reliances  {kind, name, nodes}: services and segments (by their gateways)
//   order      an st-numbering (Even and Tarjan, 1976): the first and the last node of it are linked, and every
//   back,      other node has a link to an earlier node (back) and to a later one (onward), at its place in the order.
//   onward     Without any one node the rest still reaches the first or the last; with three nodes or more no link is
//              missed either
//   trees      for each group the links of a spanning tree of what remains, each joining a new node to those before
//   survivors  for each reliance and each group that holds a node of it, in order of groups: a node that remains
//   areas      only when links are in several OSPF areas, the backbone first:
//              {area, links, order, back, onward, trees}
//              An area's graph has the ends of its links in the order of their names, then, but for the backbone, one
//              node that stands for the backbone and is linked to each of them that a link of the backbone ends at;
//              links in order again. Its groups are those of the whole that have something in the area. One that leaves
//              nothing but nodes of the area takes that last node, too, which is lost in no other way. So the backbone
//              holds by its own links and every other area by its own and the backbone: what OSPF joins (RFC 2328, 3.1)
//
// The graph's text, of which the digest is made:  "node NAME\n" for each node, "link A B\n" for each link, "group KIND
// NAME\n" with "has NODE\n" and "hangs A B\n", "reliance KIND NAME\n" with "has NODE\n",
// and with several areas "area NAME\n" with "within A B\n" for each link.
//
// Threads: pure functions.
#pragma once

#include "topology/proof/weaknesses.hpp"
#include "topology/topology.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <vector>

namespace proof {

// The certificate's text, or every weakness for which there is none. Linear in nodes and links for each group.
boost::system::result<std::string, std::vector<Weakness>> prove(topology::Topology const& topology);

}  // namespace proof
