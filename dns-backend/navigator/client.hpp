// The command line's side of the API: one request to the daemon, one answer, one clear sentence when there is none.
//
// Threads: blocking; the command line only.
#pragma once

#include "base/result/result.hpp"

#include <chrono>
#include <string>

namespace navigator {

struct ApiAnswer {
  int status = 0;
  std::string body;
};

// Sends `method target` over the unix socket. net::errc::refused when no daemon listens there.
base::Result<ApiAnswer> call_api(std::string const& socket_path, std::string const& method, std::string const& target,
                                 std::string const& body, std::chrono::milliseconds deadline);

// Percent-encodes one path segment.
std::string path_segment(std::string const& text);

}  // namespace navigator
