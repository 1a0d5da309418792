// Makes the changes of costs that are due (mesh/link_costs): written, and told to everybody as one new world. Nodes
// that cannot ask the controller keep the last costs.
//
// Threads: the controller's loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/controller/controller.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace controller {

// Makes what is due. Ends after *stopped.
net::Task<void> watch_costs(Controller::State* state, std::shared_ptr<bool> stopped);

// GET /v1/links: {"links":[{"link":"ann--bob","rtt_us":{"ann":1234,"bob":1250}}]}, from reports of the last minute.
std::string links_json(Controller::State const& state, std::int64_t now_s);

}  // namespace controller
