// Patterns of bodies in compiled form. Private to base/probe.
//
// Threads: pure functions; a compiled pattern is immutable.
#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace probe {

// Not null; ok() only if pattern_problem() is empty.
[[nodiscard]] std::unique_ptr<re2::RE2 const> compiled(std::string const& pattern);

}  // namespace probe
