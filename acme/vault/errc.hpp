// What can go wrong with certificates' rows; of sealed keys: acme/keyring.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace vault {

enum class errc {
  not_found = 1,  // no such certificate
  stale,          // an acknowledgment of a certificate that is not (or no longer) the tenant's
  fenced,         // another Navigator issues certificates by now: this one's write came too late
};
boost::system::error_code make_error_code(errc code);

}  // namespace vault

template <>
struct boost::system::is_error_code_enum<vault::errc> : std::true_type {};
