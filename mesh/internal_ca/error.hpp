// What can go wrong with certificates of the stack's internal authority.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace internal_ca {

enum class errc {
  bad_request = 1,  // a certificate request that is none, or for another name
  crypto,           // OpenSSL refused
  bad_state,        // the directory holds something else than expected
  expired,          // what certificates are issued with has ended; the detail says when, and how the next one comes
  untrusted,        // a chain that does not lead to the root
};
boost::system::error_code make_error_code(errc code);

}  // namespace internal_ca

template <>
struct boost::system::is_error_code_enum<internal_ca::errc> : std::true_type {};
