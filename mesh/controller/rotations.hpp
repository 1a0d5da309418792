// The controller's part in changes of keys: whose turn it is says mesh/members/turns.hpp.
//
// A node is *asked* (its row has rotate_since_s), then *let* (the world names it), makes its next key and offers it,
// and says when all its links run with it. One that does not get there in time goes on with the key it has.
//
// Threads: the controller's loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/controller/controller.hpp"

#include <cstdint>
#include <memory>

namespace controller {

// A node that offers no key in this time is not there.
inline constexpr std::int64_t rotation_offer_s = 30;
// Devices, adjacencies, costs and their flooding take some fifteen seconds.
inline constexpr std::int64_t rotation_limit_s = 180;
// A scheduled change of key that failed is not tried again before.
inline constexpr std::int64_t rotation_rest_s = 3600;

// Asks who is overdue, and ends what does not get on. Ends after *stopped.
net::Task<void> watch_rotations(Controller::State* state, std::shared_ptr<bool> stopped);

}  // namespace controller
