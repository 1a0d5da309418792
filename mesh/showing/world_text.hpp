// A world document, as the controller signed it, as text for people.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace showing {

// {"signed":"...","signature":"..."}, or the bare document. What does not look as expected is left out.
std::string world_text(std::string_view json);

}  // namespace showing
