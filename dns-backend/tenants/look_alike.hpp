// What a label looks like to a person, whatever its characters are: so that nobody takes a name that is read as a
// reserved one.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace tenants {

// The label's characters replaced by the Latin letters they are mistaken for; accents fall. `text` is UTF-8. Octets
// that are no UTF-8 stay.
std::string skeleton(std::string_view text);

// Whether a skeleton reads as `word`: digits 0 and 1 as o, i or l, "rn" as m, "vv" as w, hyphens unseen.
bool reads_as(std::string_view skeleton, std::string_view word);

// Letters of Latin together with Cyrillic or Greek ones: nobody writes so who does not mean to be misread. Empty, or
// the two scripts.
std::string mixed_scripts(std::string_view text);

}  // namespace tenants
