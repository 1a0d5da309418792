// What can go wrong with master keys and with what is sealed.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace keyring {

enum class errc {
  key_file = 1,  // a master key's file is missing, too open, or not a key
  sealed,        // it does not open: another master key, or the row was moved, changed, or given to another owner
};
boost::system::error_code make_error_code(errc code);

}  // namespace keyring

template <>
struct boost::system::is_error_code_enum<keyring::errc> : std::true_type {};
