// Which certificate is really served? A TLS handshake with ourselves, judged by nothing but the leaf's digest.
//
// Threads: runs on the calling loop.
#pragma once

#include "base/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace edge {

// SHA-256 of the served leaf's DER in lower-case hex. `address` is an IP address. The certificate is not verified: the
// caller compares digests. Failures: net::errc timed_out, refused, bad_message.
net::Task<base::Result<std::string>> served_fingerprint(std::string address, std::uint16_t port, std::string sni,
                                                        std::chrono::milliseconds deadline);

}  // namespace edge
