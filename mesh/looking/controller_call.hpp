// One request to the controller as whoever this machine is: over its socket where it runs here, else over HTTPS with
// the certificate of this node (or of an operator's machine).
//
// Threads: a task on one loop.
#pragma once

#include "base/net/task.hpp"
#include "base/result/result.hpp"
#include "mesh/looking/looking.hpp"

#include <chrono>
#include <string>

namespace looking {

// The body of a 2xx answer. Fails where there is neither (net::errc::refused) and with net's own failures.
net::Task<base::Result<std::string>> ask_controller(Place place, std::string method, std::string path,
                                                    std::chrono::milliseconds deadline);

}  // namespace looking
