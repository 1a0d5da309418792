// This node's own certificates live for 72 hours and are renewed by Privateer's agent: they are read again whenever
// their files are others, for the API, for the primary and for the other sites.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/daemon/daemon.hpp"

namespace navigator {

// Until `alive` has gone. What cannot be read is said once, and the former ones stay in use.
net::Task<void> follow_certificates(Daemon* daemon, std::weak_ptr<bool> alive);

}  // namespace navigator
