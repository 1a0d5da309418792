// What the controller issues certificates with, and its own certificate: taken at the start, and again within seconds
// when another one was installed or when the own one is past half of its life. Private to this module.
//
// Threads: the controller's loop.
#pragma once

#include "mesh/controller/state.hpp"

namespace controller {

// Reads authority and own certificate from the state directory, makes what is missing. True when anything differs from
// before. Errors of internal_ca.
base::Result<bool> load_authority(Controller::State& state, std::int64_t now_s);

// Looks again and again; what it cannot use is told once, and what is in use stays.
net::Task<void> watch_authority(Controller::State* state, std::shared_ptr<bool> stopped);

// For the status: from when until when root, issuer and own certificate are good, and what an operator has to do.
boost::json::object authority_json(Controller::State const& state, std::int64_t now_s);

}  // namespace controller
