// What can go wrong when a node joins.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace enrolment {

enum class errc {
  bad_token = 1,  // not a token, unknown, revoked, expired or used up: one code, so that a guesser learns nothing
  wrong_node,     // the token is bound to another node, or the topology does not name this one
  bad_proof,      // the asker does not hold the WireGuard key it shows
  bad_request,    // a certificate request that is none, or for another name
  taken,          // the node joined already with another key
  removed,        // the node was removed; a fresh token brings it back
  crypto,         // OpenSSL refused
  refused,        // the controller's answer, client side
  bad_state,      // the state directory holds something else than expected
};
boost::system::error_code make_error_code(errc code);

}  // namespace enrolment

template <>
struct boost::system::is_error_code_enum<enrolment::errc> : std::true_type {};
