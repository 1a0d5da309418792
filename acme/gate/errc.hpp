// What can go wrong around an order that is not the CA's doing.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace acme {

enum class errc {
  not_ready = 1,  // a site in service does not answer the challenge values; the detail says which and how
};
boost::system::error_code make_error_code(errc code);

}  // namespace acme

template <>
struct boost::system::is_error_code_enum<acme::errc> : std::true_type {};
