// What a certificate says of each OSPF area, as certificates of their own: the graph of an area is made here out of the
// whole one, and nothing of it is read. Internal to this module.
//
// Threads: a pure function.
#pragma once

#include "topology/verify/certificate.hpp"

#include <vector>

namespace verify {

// One for each area that is listed, in order. The backbone is one node more at the end of every other area's nodes,
// linked to those that a link of the backbone ends at, and lost with a group that leaves only nodes of the area.
// errc::not_proved when the areas do not share out the links, or the first is not the backbone.
base::Result<std::vector<Certificate>> areas_of(Certificate const& whole);

}  // namespace verify
