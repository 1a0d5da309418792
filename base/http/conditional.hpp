// Conditional requests (RFC 9110 13.1.2): what was read is told apart from what is there, and not sent again when it is
// the same.
//
// Threads: plain values.
#pragma once

#include "base/http/http.hpp"

#include <string>
#include <string_view>

namespace net {

// Answers to GET and HEAD with 200 get an ETag, a digest of their body; one that has an ETag already keeps it in front
// ("17" becomes "17-<digest>"), so that a revision can be read off it and what no revision counts is told as well. One
// of `if_none_match` (the header's value) makes it 304 without a body.
//
// Left as they are: other methods and statuses, Cache-Control: no-store, plain text (figures for machines, "ok"), and
// bodies above 8 MiB, which are dearer to digest than to send.
HttpResponse conditional(std::string_view method, std::string_view if_none_match, HttpResponse response);

}  // namespace net
