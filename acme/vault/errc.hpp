// What can go wrong with sealed keys and the rows around them.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace vault {

enum class errc {
  key_file = 1,  // the master key file is missing, too open, or not a key
  sealed,        // a sealed key does not open: another master key, or the row was moved or changed
  not_found,     // no such certificate
  stale,         // an acknowledgment of a certificate that is not (or no longer) the tenant's
  fenced,        // another Navigator issues certificates by now: this one's write came too late
};
boost::system::error_code make_error_code(errc code);

}  // namespace vault

template <>
struct boost::system::is_error_code_enum<vault::errc> : std::true_type {};
