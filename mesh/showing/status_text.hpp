// The daemons' JSON answers as text for people.
//
// Input is what a daemon sent; anything that does not look as expected is left out, never fatal.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace showing {

std::string status_text(std::string_view json);
std::string tokens_text(std::string_view json, std::int64_t now_s);
std::string nodes_text(std::string_view json);

// The "title: detail" of a problem answer (RFC 9457), or the body itself, cut.
std::string problem_text(std::string_view body);

}  // namespace showing
