// What can go wrong between us and a CA, above HTTP.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace protocol {

enum class errc {
  bad_message = 1,  // the CA's answer is not what RFC 8555 says; the detail names the field
  refused,          // the CA answered with a problem document; the detail carries its type and text
  unavailable,      // the CA answered that it cannot serve now (5xx, rate limit)
  no_account,       // the CA does not know the account even after it was registered again
  bad_nonces,       // the CA refused every nonce, 10 in a row
};
boost::system::error_code make_error_code(errc code);

}  // namespace protocol

template <>
struct boost::system::is_error_code_enum<protocol::errc> : std::true_type {};
