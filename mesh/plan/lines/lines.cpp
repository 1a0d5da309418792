#include "mesh/plan/lines/lines.hpp"

#include <algorithm>
#include <cstdint>

namespace plan {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    auto const end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string trimmed(std::string_view line) {
  auto const start = line.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string() : std::string(line.substr(start));
}

}  // namespace

void compare_lines(std::string const& file, std::string_view before, std::string_view after,
                   std::vector<std::string>& out) {
  auto old_lines = lines_of(before);
  auto new_lines = lines_of(after);
  std::size_t head = 0;
  while (head < old_lines.size() && head < new_lines.size() && old_lines[head] == new_lines[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail + head < old_lines.size() && tail + head < new_lines.size() &&
         old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail]) {
    ++tail;
  }
  std::size_t const m = old_lines.size() - head - tail;
  std::size_t const n = new_lines.size() - head - tail;
  constexpr std::size_t most_cells = 4'000'000;
  std::vector<std::uint32_t> longest((m + 1) * (n + 1) <= most_cells ? (m + 1) * (n + 1) : 0, 0);
  auto const at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return longest[i * (n + 1) + j]; };
  bool const exact = !longest.empty();
  for (std::size_t i = m; exact && i-- > 0;) {
    for (std::size_t j = n; j-- > 0;) {
      bool const same = old_lines[head + i] == new_lines[head + j];
      at(i, j) = same ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  for (std::size_t i = 0, j = 0; i < m || j < n;) {
    if (exact && i < m && j < n && old_lines[head + i] == new_lines[head + j]) {
      ++i;
      ++j;
    } else if (i < m && (j == n || !exact || at(i + 1, j) >= at(i, j + 1))) {
      if (auto line = trimmed(old_lines[head + i++]); !line.empty()) {
        out.push_back(file + ": - " + line);
      }
    } else if (auto line = trimmed(new_lines[head + j++]); !line.empty()) {
      out.push_back(file + ": + " + line);
    }
  }
}

}  // namespace plan
