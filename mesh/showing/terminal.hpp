// `privateer status --watch`: the same picture again and again, where the terminal is.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace showing {

// The bytes that put `text` where the last picture was, without wiping the screen first, which flickers: lines cut to
// `columns`, the last ones left out when there are more than `rows`, what is below wiped. Control characters, which
// only somebody else can have put there, become '?'.
std::string picture_on_terminal(std::string_view text, std::size_t rows, std::size_t columns);

inline constexpr std::string_view wipe_terminal = "\x1b[H\x1b[J";

}  // namespace showing
