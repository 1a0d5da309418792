// Whose key is changed when: one after the other among neighbours, so that a link has at most one end on the way from
// one key to another; nodes that share no link change theirs side by side.
//
// A node is *asked* (its row has rotate_since_s), then *let* (the world names it), makes its next key and offers it,
// and says when all its links run with it. One that does not get there in time goes on with the key it has.
//
// Threads: `rotating` and `overdue` are pure; watch_rotations runs on the controller's loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/controller/controller.hpp"
#include "mesh/members/members.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace controller {

// A node that offers no key in this time is not there.
inline constexpr std::int64_t rotation_offer_s = 30;
// Devices, adjacencies, costs and their flooding take some fifteen seconds.
inline constexpr std::int64_t rotation_limit_s = 180;
// A scheduled change of key that failed is not tried again before.
inline constexpr std::int64_t rotation_rest_s = 3600;

// Of the asked nodes, those that may change now: who has a next key already, then who asked first.
std::set<std::string> rotating(std::vector<members::NodeRow> const& rows, topology::Topology const& topology);

// Members whose key is older than `after_s` (0: none ever).
std::vector<std::string> overdue(std::vector<members::NodeRow> const& rows, std::int64_t after_s, std::int64_t now_s);

// Asks who is overdue, and ends what does not get on. Ends after *stopped.
net::Task<void> watch_rotations(Controller::State* state, std::shared_ptr<bool> stopped);

}  // namespace controller
