// HTTP/1.1 client: http, https and HTTP over a unix socket; keep-alive connections per origin, deadlines on everything,
// bounded bodies. Redirects are not followed: they come back as the answer they are.
//
// Threads: one client belongs to one loop.
#pragma once

#include "base/http/http.hpp"
#include "base/net/tls.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace net {

// "https://host:port/path?query", "http://[::1]:80/", or "unix:/run/navigator/api.sock:/v1/status".
struct Url {
  std::string scheme;  // "http", "https", "unix"
  std::string host;    // name or address without brackets; the socket path for unix
  std::string port;    // decimal; the scheme's default when absent
  std::string target;  // "/path?query"
  [[nodiscard]] std::string origin() const;
};
// errc::bad_message with the reason. User names in a URL are refused (they would end in logs); a fragment is dropped.
base::Result<Url> parse_url(std::string_view text);

struct HttpClientSettings {
  TlsClientSettings tls;
  std::chrono::milliseconds connect_timeout{5000};
  std::size_t response_limit = 64U << 20U;
  std::string user_agent = "sovereign/" SOVEREIGN_VERSION;
};

class HttpClient {
 public:
  HttpClient(asio::any_io_executor executor, HttpClientSettings settings);
  ~HttpClient();
  HttpClient(HttpClient const&) = delete;
  HttpClient& operator=(HttpClient const&) = delete;

  // Sends `request` (its target is taken from `url`) and reads the whole answer. A kept-alive connection that turns out
  // to be closed before anything was answered is replaced once (servers close idle connections at any time), for GET,
  // HEAD and OPTIONS, and for others when they did not leave us whole, so that they cannot have been done: `closed` of
  // any other method means that nobody knows (RFC 9112 9.3.1). A request on a fresh connection is never sent twice.
  // Concurrent calls open further connections (at most 16 per origin, then they wait).
  // Failures: timed_out, refused, unresolved, certificate, closed, bad_message, too_large, cancelled.
  // Any HTTP status is a success of this call. Nothing is thrown.
  Task<base::Result<HttpResponse>> send(std::string url, HttpRequest request, std::chrono::milliseconds deadline);

  // Reads certificate and key files again (after a renewal); existing connections are dropped.
  base::Result<void> reload();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace net
