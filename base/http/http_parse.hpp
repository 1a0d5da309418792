// HTTP/1.1 requests out of bytes, for whoever reads a socket himself. Beast parses; no Beast type is here (RFC 9112).
//
// Threads: pure.
#pragma once

#include "base/http/http.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace net {

struct ParsedRequest {
  HttpRequest request;  // method, target, headers, body
  bool keep_alive = false;
  std::size_t octets = 0;  // of `bytes` that it took
};

// The request that `bytes` begin with; nothing while its end is missing. Failures: bad_message; too_large above 16 KiB
// of header or `body_limit`.
base::Result<std::optional<ParsedRequest>> parse_request(std::string_view bytes, std::size_t body_limit);

}  // namespace net
