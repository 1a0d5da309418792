// Problem documents (RFC 9457) that say which member of the body, parameter or header they are about.
//
// `errors` lists {line, column, field, message, hint}: field is the path of a member ("contents[1]"), the name of a
// parameter of the path or query, or of a header; "body" when it is the body as a whole. Neither field nor hint is
// ever empty.
//
// Threads: plain values.
#pragma once

#include "base/http/http.hpp"
#include "base/result/problem.hpp"

#include <string>
#include <string_view>

namespace net {

// `text` with what is no UTF-8 (RFC 3629) replaced by U+FFFD: messages repeat input, and JSON is UTF-8 (RFC 8259 8.1).
[[nodiscard]] std::string as_utf8(std::string_view text);

HttpResponse problem_of(int status, std::string title, base::Problems const& problems);
// One problem, whose message is also the detail.
HttpResponse problem_of(int status, std::string title, std::string field, std::string message, std::string hint);

}  // namespace net
