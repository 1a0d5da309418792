// The child PowerDNS starts for its pipe connector: lines from its stdin to the daemon's unix socket, replies to its
// stdout. PowerDNS reads lines in time proportional to their length there, whereas its unix connector takes time in
// proportion to the square of a reply.
//
// One request is in flight. When the daemon goes away, the relay connects anew and repeats the request in hand if that
// only reads; a write, an open transaction or a reply already begun cannot be repeated, and then the relay ends, upon
// which PowerDNS fails that one query and starts another relay.
//
// Threads: blocks; owns its process.
#pragma once

#include "base/result/result.hpp"

#include <chrono>
#include <string>

namespace pipe_connector {

struct RelaySettings {
  std::string socket;                        // of the daemon
  std::chrono::milliseconds patience{1500};  // to reach the daemon, for one request; below PowerDNS's timeout of 2 s
  std::chrono::milliseconds reply{60000};    // for its reply; PowerDNS gives up sooner
  int in = 0;
  int out = 1;
};

// Returns when `in` ends. Failures: the daemon cannot be reached or does not answer in time, a request that cannot be
// repeated, errc::too_large of the protocol, or the system's error.
base::Result<void> relay(RelaySettings const& settings);

}  // namespace pipe_connector
