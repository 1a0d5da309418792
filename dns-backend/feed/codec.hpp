// The change feed on the wire: database::Changes as one JSON object.
//
//   {"format":1,"history":"...","from":41,"to":42,"complete":false,
//    "rows":[{"revision":42,"table":"tenant","key":[["id",7]],"values":[["id",7],["label","acme-tv"],["seal",{"base64":"..."}]]}]}
//
// "values" is null for a row that is gone. Whole numbers are 64-bit; texts that are not ASCII and blobs travel in
// base64
// ({"text":"..."} and {"base64":"..."}), reals in their shortest decimal form ({"real":"0.1"}). Reading is strict: what
// is not exactly this format fails as a whole with errc::bad_message.
//
// Threads: pure functions.
#pragma once

#include "base/database/database.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace feed {

enum class errc {
  bad_message = 1,  // not this format; the detail says where
};
boost::system::error_code make_error_code(errc code);

inline constexpr std::size_t rows_limit = 2'000'000;

std::string to_json(database::Changes const& changes);
base::Result<database::Changes> parse_changes(std::string_view text);

}  // namespace feed

template <>
struct boost::system::is_error_code_enum<feed::errc> : std::true_type {};
