// What two texts differ in, line by line, for people.
//
// Threads: a pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plan {

// Adds "FILE: - line" and "FILE: + line" for each line that is in one of them only, without its indentation; lines of
// blanks alone are left out. The longest common subsequence where both are short enough once what is the same at both
// ends is off (4,000,000 pairs of lines); otherwise everything between counts as replaced.
void compare_lines(std::string const& file, std::string_view before, std::string_view after,
                   std::vector<std::string>& out);

}  // namespace plan
