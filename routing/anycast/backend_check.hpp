// Whether a name server still reaches the store behind it, asked past its caches.
//
// A name server whose backend died answers what it has cached, the zone's SOA among it, for as long as its caches last,
// and SERVFAIL for everything else. A check of the SOA alone therefore keeps a broken server announced. So a second
// question names something that was never asked before, a random label below the zone: only a server that asked its
// backend can answer it with authority (RFC 1035 4.1.1: AA), be it "no such name" or a wildcard's data.
//
// Threads: pure functions, and a coroutine of the calling loop.
#pragma once

#include "base/net/task.hpp"
#include "base/probe/probe.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace anycast {

// The query for `label`.`zone` SOA; empty when that is no name of DNS.
[[nodiscard]] std::vector<std::uint8_t> backend_question(std::string const& label, std::string const& zone,
                                                         std::uint16_t id);
// Whether this datagram answers that question; anything else is late, forged or damaged.
[[nodiscard]] bool answers(std::span<std::uint8_t const> datagram, std::span<std::uint8_t const> question);
// Success: authoritative, and NOERROR or NXDOMAIN. `datagram` must answer the question.
[[nodiscard]] probe::Verdict judge_backend(std::span<std::uint8_t const> datagram);

// Asks check.address over UDP within check.timeout.
net::Task<probe::Verdict> ask_backend(probe::Check check);

// The announcer's check: probe::run, and for dns ask_backend after it succeeded.
net::Task<probe::Verdict> check_service(probe::Check check);

}  // namespace anycast
