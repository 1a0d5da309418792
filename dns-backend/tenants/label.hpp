// Labels of tenants: read as people write them, and refused when they are no host label, reserved, or look reserved.
//
// Threads: pure functions.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace tenants {

struct LabelVerdict {
  std::string label;    // as it is stored: lower case, an A-label (RFC 5890) for other scripts; empty with a problem
  std::string problem;  // why it cannot be
  std::string hint;
};

// Words no tenant is called by, beside "ns" with digits and whatever begins with "edge-".
std::set<std::string, std::less<>> const& reserved_words();

// Spaces around it and capitals are forgiven, nothing else is rewritten: the hint has a label that would do.
LabelVerdict read_label(std::string_view text);

// A label made of a name for people: every run of other characters one hyphen. "tenant" when nothing is left.
std::string suggest_label(std::string_view name);

}  // namespace tenants
