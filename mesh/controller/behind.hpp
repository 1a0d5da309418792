// A controller whose store is an older copy: being told by what nodes have seen, and learning from what they show.
//
// Who polls with a revision that the store has forgotten gets 409, {"revision": N, "seen": M}, and POSTs the newest
// signed world that it has to /v1/world: 200 with the revision that the controller goes on at, 422 when this
// controller did not sign it, or 503 while it learns from another. Nothing is looked at where no poll was answered so.
// While it is behind it lets nobody change a key. Private to mesh/controller.
//
// Threads: the controller's loop.
#pragma once

#include "mesh/controller/state.hpp"

#include <boost/json.hpp>

#include <optional>

namespace controller {

// What is answered when the poll shows that the store is behind; the log has each node once in ten minutes.
std::optional<net::HttpResponse> answer_behind(Controller::State& state, net::HttpRequest const& request,
                                               std::int64_t since);
void add_behind_routes(Controller::State& state);

// {"seen": M, "by": "ann"} or null.
boost::json::value behind_json(Controller::State const& state);

}  // namespace controller
