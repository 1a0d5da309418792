// What can go wrong on an edge between the bundle list and the served certificate.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace edge {

enum class errc {
  bad_bundle = 1,  // the leaf is not the one that was announced, or the key does not fit it
  refused,         // Navigator answered with an HTTP error; the detail carries status and text
  bad_directory,   // the bundle directory holds something unexpected
  reload_failed,   // the reload hook failed; the former files are back in place
  stale,           // Navigator takes no acknowledgment of this certificate: it is expired, or no longer the bundle's
  not_served,      // the web server did not serve the certificate before the deadline
};
boost::system::error_code make_error_code(errc code);

}  // namespace edge

template <>
struct boost::system::is_error_code_enum<edge::errc> : std::true_type {};
