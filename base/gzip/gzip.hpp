// A text in fewer octets, for HTTP's content coding "gzip" (RFC 1952, RFC 9110 8.4.1.3), and back. zlib does it.
//
// Threads: pure functions.
#pragma once

#include "base/result/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gzip {

enum class errc {
  damaged = 1,  // no gzip, cut off, or its checksum is another
  too_large,    // it would become more than was allowed
};
boost::system::error_code make_error_code(errc code);

// The same text gives the same octets.
std::string compress(std::string_view text);
// At most `limit` octets, whatever a few were made to become.
base::Result<std::string> decompress(std::string_view octets, std::size_t limit);

}  // namespace gzip

template <>
struct boost::system::is_error_code_enum<gzip::errc> : std::true_type {};
