// "Did you mean": the known word closest to one that nobody knows.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace config {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. Quadratic: words, not texts.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known` when it is near enough to be meant (a third of the letters), else empty. First wins a tie.
std::string nearest(std::string_view word, std::vector<std::string> const& known);

// The hint for a problem: "did you mean 'ams'?"; or the known words when none is near and they are few ("known:
// 'ams', 'nyc'"); or empty.
std::string nearest_hint(std::string_view word, std::vector<std::string> const& known);

// `text` in single quotes for a message: control characters escaped, cut after 80 bytes.
std::string quoted(std::string_view text);

}  // namespace config
