#include "base/result/problem.hpp"

namespace base {

std::string Problem::text() const {
  std::string out = place.source;
  if (place.line > 0) {
    out += ":" + std::to_string(place.line);
    if (place.column > 0) {
      out += ":" + std::to_string(place.column);
    }
  }
  if (!out.empty()) {
    out += ": ";
  }
  if (!path.empty()) {
    out += path + ": ";
  }
  out += message;
  if (!hint.empty()) {
    out += " (" + hint + ")";
  }
  return out;
}

std::string text(Problems const& problems) {
  std::string out;
  for (auto const& problem : problems) {
    out += problem.text() + "\n";
  }
  return out;
}

}  // namespace base
