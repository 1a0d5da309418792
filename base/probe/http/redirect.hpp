// Where an HTTP check asks, and where a redirect sends it.
//
// Threads: pure functions.
#pragma once

#include "base/result/result.hpp"

#include <string>
#include <string_view>

namespace probe {

// Whom a connection speaks to: a kept one serves the same origin only.
struct Origin {
  bool tls = false;
  std::string host;  // Host header and SNI; no brackets
  unsigned short port = 0;
  bool operator==(Origin const&) const = default;
};

struct Target {
  Origin origin;
  std::string path;  // with the query
  bool operator==(Target const&) const = default;
};

// "http://www.example.org:8080/path"
[[nodiscard]] std::string url_of(Target const& target);

// "[::1]:8080", "www.example.org", "203.0.113.9:8443" (RFC 9110 7.2: the scheme's own port is left out).
[[nodiscard]] std::string host_header(Origin const& origin);

[[nodiscard]] bool is_redirect(int status);

// What `location` means for somebody who asked `from` (RFC 9110 10.2.2). Fails for what is no http(s) URL.
[[nodiscard]] base::Result<Target> redirected(Target const& from, std::string_view location);

// RFC 9110 15.4: 303 asks with GET, and so do 301 and 302 after a POST.
[[nodiscard]] std::string method_after(int status, std::string const& method);

}  // namespace probe
