// Many problems at once: what a configuration file, a zone file or an API body reports.
//
// A reader of such input never stops at the first mistake: it appends every one to a Problems list and yields a
// value only when the list stayed empty. Each problem says where, what and how to mend it.
//
// Threads: plain values.
#pragma once

#include <string>
#include <vector>

namespace base {

struct Place {
  std::string source;  // file name as the user gave it, or "request body"
  int line = 0;        // from 1; 0 when the source has no lines
  int column = 0;      // from 1; 0 when unknown
};

struct Problem {
  Place place;
  std::string path;     // key path inside the document, for instance "nodes[2].site"; may be empty
  std::string message;  // what is wrong, without a final dot
  std::string hint;     // how to mend it; may be empty

  // "site.yaml:14:7: nodes[2].site: no site is named 'amz' (did you mean 'ams'?)"
  [[nodiscard]] std::string text() const;
};

using Problems = std::vector<Problem>;

// All problems, one a line, each line ended.
[[nodiscard]] std::string text(Problems const& problems);

}  // namespace base
