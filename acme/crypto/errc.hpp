// What can go wrong with keys, signing requests and certificates.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace crypto {

enum class errc {
  bad_key = 1,      // not a P-256 private key, or OpenSSL could not use it
  bad_name,         // a name that no CA accepts (not an A-label host name)
  bad_certificate,  // the chain cannot be read, or is not the one that was ordered
};
boost::system::error_code make_error_code(errc code);

}  // namespace crypto

template <>
struct boost::system::is_error_code_enum<crypto::errc> : std::true_type {};
