// What can go wrong with a question to a name server.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"

namespace name_server {

enum class errc {
  unreachable = 1,  // it cannot be connected to, or did not answer in time
  refused,          // it answers with another rcode, or its signature does not verify
  bad_answer,       // what came is not what was asked for
  bad_question,     // the question cannot be made: the name or the TSIG key is none
};
boost::system::error_code make_error_code(errc code);

}  // namespace name_server

template <>
struct boost::system::is_error_code_enum<name_server::errc> : std::true_type {};
