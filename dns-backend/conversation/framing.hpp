// How requests are cut out of the bytes of a connection, and replies put into them: lines (unix) or HTTP.
//
// HTTP is what PowerDNS's http connector sends: with post_json=1 the body is the request; with post=1 the target names
// the method and the form field `parameters` holds the rest (RFC 9110, RFC 9112). Its REST mode is refused:
// PowerDNS 4.7 loses parts of what it writes there. A request with an Origin header comes from a browser, which any web
// page may drive, and is refused too.
//
// Threads: pure.
#pragma once

#include "base/result/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace connector {

enum class Framing { line, http };

struct Cut {
  std::string_view request;  // JSON; lies in `bytes` or in `body`
  std::size_t octets = 0;    // that the request took from the connection
  bool keep_alive = true;    // false: the connection ends after the reply
};

// The request that `bytes` begin with; nothing while its end is missing. Failures: remote::errc::too_large and
// bad_request, net::errc::bad_message and too_large.
base::Result<std::optional<Cut>> cut_request(Framing framing, std::string_view bytes, std::string& body);

// What goes before `reply` on the connection.
std::string reply_head(Framing framing, std::string_view reply, bool keep_alive);

}  // namespace connector
