// What a label looks like to a person, whatever its characters are: so that nobody takes a name that is read as a
// reserved one.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace look_alike {

// The label's characters replaced by the Latin letters they are mistaken for, by Unicode's confusables (UTS #39) and by
// some of our own; accents fall. `text` is UTF-8; octets that are no UTF-8 become U+FFFD.
std::string skeleton(std::string_view text);

// Whether a skeleton reads as `word`: digits 0 and 1 as o, i or l, "rn" as m, "vv" as w, hyphens unseen.
bool reads_as(std::string_view skeleton, std::string_view word);

// Why nobody writes so who does not mean to be misread: letters of several scripts in one label, or of one that is in
// no everyday use (UTS #39 section 5.2, highly restrictive; Unicode's recommended characters). Empty: nothing.
std::string script_fault(std::string_view text);

}  // namespace look_alike
