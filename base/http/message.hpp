// HTTP/1.1 on a Stream: reading and rendering of one message (RFC 9112). Beast parses; no Beast type is here. Private
// to base/net.
//
// Threads: pure, or on the Stream's loop.
#pragma once

#include "base/http/http.hpp"
#include "base/net/stream.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace net::detail {

// Bytes that were read beyond the end of a message stay in `carry` for the next one.
struct RequestRead {
  HttpRequest request;
  bool keep_alive = false;
  bool end = false;  // the peer closed between two requests
};

// What the body of a request may measure, asked once its header is there (it has method, target and headers).
using BodyLimit = std::function<std::size_t(HttpRequest const&)>;

// Failures: those of the stream, bad_message, too_large. A request that expects "100-continue" gets it. References must
// stay until the task ended.
Task<base::Result<RequestRead>> read_request(Stream& stream, std::string& carry, BodyLimit const& body_limit);

struct ResponseRead {
  HttpResponse response;
  bool keep_alive = false;
};

// `head`: the answer to HEAD has no body whatever its header says. `anything` is set with the first byte.
Task<base::Result<ResponseRead>> read_response(Stream& stream, std::string& carry, bool head, std::size_t body_limit,
                                               bool& anything);

// The bytes of a message. bad_message when a method, target or header holds what would end its line.
base::Result<std::string> render_request(std::string const& target, std::string const& host,
                                         std::string const& user_agent, HttpRequest const& request);
// `head`: without the body, as always where that is a shared one. `now` is for the Date header (RFC 9110 6.6.1).
std::string render_response(HttpResponse const& response, bool keep_alive, bool head,
                            std::chrono::system_clock::time_point now);

}  // namespace net::detail
