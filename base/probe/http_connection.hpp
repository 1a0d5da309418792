// A connection to an HTTP target, plain or TLS, fit to be kept between two checks. Private to base/probe.
//
// Threads: belongs to the loop of its session.
#pragma once

#include "base/net/tls.hpp"
#include "base/probe/attempt.hpp"
#include "base/probe/http/redirect.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace probe {

using Socket = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<Socket>;

struct Connection {
  explicit Connection(Socket connected) : socket(std::move(connected)) {}

  Origin origin;
  Socket socket;                        // moved from once `tls` is there
  net::TlsContext context;              // of `tls`
  std::unique_ptr<TlsStream> tls;       // https
  std::int64_t certificate_ends_s = 0;  // Unix time; 0: no certificate
  std::chrono::steady_clock::time_point opened;
  boost::beast::flat_buffer buffer{answer_limit};
};

// Connects to the check's address and the origin's port, and shakes hands when the origin is https. Null on failure;
// then the reason is in `problem`.
net::Task<std::unique_ptr<Connection>> open_connection(ContextPtr context, Origin origin,
                                                       std::shared_ptr<Verdict> problem);

// The kept connection if it is one to this origin, still open, not older than 5 minutes and its certificate is not
// beyond its end; otherwise null, and nothing is kept any more.
std::unique_ptr<Connection> take_kept(Context& context, Origin const& origin, std::int64_t now_s);

// "the certificate expires in 3 days", "the certificate expired 2 days ago"; empty from 14 days on. Pure.
[[nodiscard]] std::string certificate_warning(std::int64_t ends_s, std::int64_t now_s);

}  // namespace probe
