// HTTP/1.1 server on unix sockets, TCP and TLS; one coroutine per connection on the loop that owns the server.
//
// Limits: connections 1,024 (further ones wait in the kernel's backlog); header 16 KiB; body 1 MiB (settings); a
// request has 60 s to arrive, idle time included; a handler has 90 s (long polls stay below), then the answer is 503.
// A route may ask for more body and time (RouteLimits). RFC 9112. Strangers (over TLS, no certificate shown yet) may
// have a limit of their own: at it the one that has been there longest goes, and others wait until its time is over.
//
// Who has shown a certificate is looked at with each request, not only at the handshake: when it has ended or was
// revoked meanwhile, the answer is 403 and the connection is closed, also when the answer was ready already.
//
// A handler is cancelled when its client disconnects or the server stops: its next co_await throws, which unwinds it. A
// client that half-closes after its request counts as disconnected.
//
// Threads: one server belongs to one loop.
#pragma once

#include "base/http/http.hpp"
#include "base/net/tls.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace net {

struct HttpServerSettings {
  std::size_t connections_max = 1024;
  std::size_t strangers_max = 0;                   // 0: as many as there may be connections
  std::chrono::milliseconds strangers_time{5000};  // so long each of them may stay in any case
  std::size_t body_limit = 1U << 20U;
  std::chrono::milliseconds idle_timeout{60000};
  std::chrono::milliseconds handler_timeout{90000};
};

class HttpServer {
 public:
  // `router` must outlive the server. What handlers refer to must outlive the loop's next turn after `stop`.
  HttpServer(asio::any_io_executor executor, Router const& router, HttpServerSettings settings);
  ~HttpServer();
  HttpServer(HttpServer const&) = delete;
  HttpServer& operator=(HttpServer const&) = delete;

  // Removes a stale socket file (one nobody listens on), binds, sets the mode. errc::in_use when somebody listens.
  base::Result<void> listen_unix(std::string const& path, unsigned mode);
  // `address` is "[::]:18010", "127.0.0.1:18010"; port 0 picks one (see local_port). errc::in_use when taken.
  base::Result<void> listen_tcp(std::string const& address);
  base::Result<void> listen_tls(std::string const& address, TlsServerSettings tls);

  // What is known of revoked certificates, of each listener that has a list; empty: everything. For the status.
  [[nodiscard]] std::string revocations_failure() const;

  [[nodiscard]] unsigned short local_port() const;  // of the last TCP listener

  // Reads certificates, keys and CAs again for connections to come; those that are open keep theirs. On a failure the
  // old ones stay in use.
  base::Result<void> reload_tls();

  // Stops accepting and closes every connection; unlinks unix sockets. May be called twice.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace net
