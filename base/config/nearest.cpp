#include "base/config/nearest.hpp"

#include <algorithm>
#include <array>

namespace config {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table are enough: a swap of neighbours looks two rows back.
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view word, std::vector<std::string> const& known) {
  constexpr std::size_t longest_word = 128;
  if (word.size() > longest_word) {
    return {};
  }
  std::string const* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (auto const& candidate : known) {
    if (candidate.size() > longest_word || candidate == word) {
      continue;
    }
    std::size_t const distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best != nullptr ? *best : std::string();
}

std::string nearest_hint(std::string_view word, std::vector<std::string> const& known) {
  auto const near = nearest(word, known);
  if (!near.empty()) {
    return "did you mean " + quoted(near) + "?";
  }
  constexpr std::size_t few = 8;
  if (known.empty() || known.size() > few) {
    return {};
  }
  std::string out = "known: ";
  for (std::size_t i = 0; i < known.size(); ++i) {
    out += (i > 0 ? ", " : "") + quoted(known[i]);
  }
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 80;
  constexpr std::array<char, 16> digits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                           '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  auto cut = std::min(text.size(), longest);
  while (cut > 0 && cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) {
    --cut;  // not in the middle of a UTF-8 character
  }
  std::string out = "'";
  for (char const c : text.substr(0, cut)) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 0xfU];
    } else {
      out += c;
    }
  }
  return out + (cut < text.size() ? "...'" : "'");
}

}  // namespace config
