// What `privateer doctor --all` brought back, as text for people.
//
// Input is what the controller sent; what does not look as expected is left out.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace showing {

// A table of nodes, then each finding with its fix.
std::string examinations_text(std::string_view json, bool coloured);
// Every node answered and found nothing.
bool all_healthy(std::string_view json);

}  // namespace showing
