// The daemon: builds every part in the order of its dependencies, hands it down, runs until SIGTERM.
//
// Threads: one control loop, the sessions' threads and loops inside connector::Listener, the store thread inside
// store::Store.
#pragma once

#include "base/net/tls.hpp"
#include "dns-backend/settings/settings.hpp"

namespace navigator {

// Runs in the foreground. 0 after SIGINT or SIGTERM; 1 when something cannot be opened (one sentence on stderr); 2 when
// the topology has problems (all of them on stderr). SIGHUP reads the topology again. With `replace` it takes the place
// of the daemon that runs with the same settings, without a lost query; that one then ends with 0.
int serve(Settings const& settings, bool replace);

// How a replica shows itself to its primary, and what it takes for it.
net::TlsClientSettings primary_tls(ReplicaSettings const& replica);

}  // namespace navigator
