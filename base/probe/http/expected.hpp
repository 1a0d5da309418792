// What a monitor expects of an HTTP answer: patterns of status codes and of bodies.
//
// Threads: pure functions; a compiled pattern is immutable.
#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace probe {

// "2xx", "200", "301-399", comma-separated. False for a pattern that is not one (then every code fails).
[[nodiscard]] bool code_matches(std::string const& expected_codes, int status);
[[nodiscard]] bool valid_codes(std::string const& expected_codes);

// Why this is no expected_body_pattern: RE2's own words, or its length (1,024 characters) or size; empty: it is one.
[[nodiscard]] std::string pattern_problem(std::string const& pattern);
// Not null; ok() only if pattern_problem() is empty.
[[nodiscard]] std::unique_ptr<re2::RE2 const> compiled(std::string const& pattern);

}  // namespace probe
