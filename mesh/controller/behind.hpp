// A controller whose store is an older copy: being told by what nodes have seen, and learning from what they show.
//
// Who polls with a revision that the store has forgotten gets 409, {"revision": N, "seen": M}, and POSTs the newest
// signed world that it has to /v1/world: 200 with the revision that the controller goes on at, or 422 when this
// controller did not sign it. Private to mesh/controller.
//
// Threads: the controller's loop.
#pragma once

#include "mesh/controller/state.hpp"

#include <boost/json.hpp>

#include <optional>

namespace controller {

// What is answered when the poll shows that the store is behind; tells the log once for each revision.
std::optional<net::HttpResponse> answer_behind(Controller::State& state, net::HttpRequest const& request,
                                               std::int64_t since);
void add_behind_routes(Controller::State& state);

// {"seen": M, "by": "ann"} or null; and who joined while it was forgotten, and is to join again.
boost::json::value behind_json(Controller::State const& state);
boost::json::array to_join_again_json(Controller::State const& state);

}  // namespace controller
