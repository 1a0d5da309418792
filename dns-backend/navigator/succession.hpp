// One Navigator after another without a lost query: what the running one does for its successor, and the other way
// round.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/daemon/daemon.hpp"

namespace navigator {

// At start, outside systemd: asks the running daemon to free the store, if there is one. Blocks.
base::Result<void> ask_predecessor(Daemon& daemon);
// No address is answered before its first check: waits for the first check of every endpoint of which nothing is known,
// for some seconds at most while a predecessor answers, for one while nobody does.
net::Task<void> await_health(Daemon& daemon);
// The sockets to serve with, now that this daemon could: from the service manager or from the predecessor. Blocks.
base::Result<handover::OpenSockets> inherit(Daemon& daemon);

// Offers this daemon's place to whoever runs `navigator serve --replace`. At the end of it `loop` stops and
// daemon.ending says how.
base::Result<void> offer_succession(Daemon& daemon, net::asio::io_context& loop);
// At SIGTERM under a service manager: it keeps the sockets for the next start.
net::Task<void> leave_sockets_behind(Daemon& daemon);

// Ends everything that writes; answers go on.
void stop_writers(Daemon& daemon);

}  // namespace navigator
