#include "dns-backend/tenants/look_alike.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

namespace tenants {
namespace {

// Code points of UTF-8; what is malformed comes through as single octets.
std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> points;
  for (std::size_t i = 0; i < text.size();) {
    auto const first = static_cast<unsigned char>(text[i]);
    std::size_t const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    std::uint32_t point = length == 1 ? first : first & (0xffU >> (length + 1));
    bool whole = i + length <= text.size();
    for (std::size_t k = 1; whole && k < length; ++k) {
      auto const next = static_cast<unsigned char>(text[i + k]);
      whole = (next & 0xc0U) == 0x80U;
      point = point << 6U | (next & 0x3fU);
    }
    points.push_back(whole ? point : first);
    i += whole ? length : 1;
  }
  return points;
}

void append(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xc0U | point >> 6U));
    out.push_back(static_cast<char>(0x80U | (point & 0x3fU)));
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xe0U | point >> 12U));
    out.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3fU)));
    out.push_back(static_cast<char>(0x80U | (point & 0x3fU)));
  } else {
    out.push_back(static_cast<char>(0xf0U | point >> 18U));
    out.push_back(static_cast<char>(0x80U | (point >> 12U & 0x3fU)));
    out.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3fU)));
    out.push_back(static_cast<char>(0x80U | (point & 0x3fU)));
  }
}

// Latin-1 and Latin Extended-A letters to their base letter: one character for each of U+00E0 to U+017F.
constexpr std::string_view latin_bases =
    "aaaaaaaceeeeiiii"   // e0
    "dnooooo/ouuuuypy"   // f0
    "aaaaaaccccccccdd"   // 100
    "ddeeeeeeeeeegggg"   // 110
    "gggghhhhiiiiiiii"   // 120
    "iiiijjkkklllllll"   // 130
    "lllnnnnnnnnnoooo"   // 140
    "oooorrrrrrssssss"   // 150
    "ssttttttuuuuuuuu"   // 160
    "uuuuwwyyyzzzzzzs";  // 170

struct Mistaken {
  std::uint32_t point;
  char letter;
};

// Cyrillic, Greek, Armenian, phonetic Latin and letters with dots below.
// clang-format off
constexpr Mistaken mistaken[] = {
    {0x430, 'a'}, {0x432, 'b'}, {0x435, 'e'}, {0x451, 'e'}, {0x437, '3'}, {0x43a, 'k'}, {0x43c, 'm'},
    {0x43d, 'h'}, {0x43e, 'o'}, {0x43f, 'n'}, {0x440, 'p'}, {0x441, 'c'}, {0x442, 't'}, {0x443, 'y'},
    {0x445, 'x'}, {0x448, 'w'}, {0x44c, 'b'}, {0x454, 'e'}, {0x455, 's'}, {0x456, 'i'}, {0x457, 'i'},
    {0x458, 'j'}, {0x475, 'v'}, {0x4bb, 'h'}, {0x4cf, 'l'}, {0x501, 'd'}, {0x51b, 'q'}, {0x51d, 'w'},
    {0x433, 'r'}, {0x493, 'f'}, {0x4af, 'y'}, {0x4e9, 'o'}, {0x3ac, 'a'}, {0x3b1, 'a'}, {0x3b2, 'b'},
    {0x3b3, 'y'}, {0x3ad, 'e'}, {0x3b5, 'e'}, {0x3b7, 'n'}, {0x3ae, 'n'}, {0x3b9, 'i'}, {0x3af, 'i'},
    {0x3ba, 'k'}, {0x3bc, 'u'}, {0x3bd, 'v'}, {0x3bf, 'o'}, {0x3cc, 'o'}, {0x3c1, 'p'}, {0x3c3, 'o'},
    {0x3c4, 't'}, {0x3c5, 'u'}, {0x3cd, 'u'}, {0x3c7, 'x'}, {0x3c9, 'w'}, {0x3ce, 'w'}, {0x3f2, 'c'},
    {0x585, 'o'}, {0x570, 'h'}, {0x578, 'n'}, {0x57d, 'u'}, {0x566, 'q'}, {0x581, 'g'}, {0x251, 'a'},
    {0x261, 'g'}, {0x269, 'i'}, {0x26a, 'i'}, {0x131, 'i'}, {0x28f, 'y'}, {0x274, 'n'}, {0x280, 'r'},
    {0x1d0f, 'o'}, {0x1d04, 'c'}, {0x1d1b, 't'}, {0x1d20, 'v'}, {0x1d21, 'w'}, {0x1d22, 'z'}, {0x2d0, ':'},
    {0x1e3f, 'm'}, {0x1e43, 'm'}, {0x1ea1, 'a'}, {0x1ecb, 'i'}, {0x1ecd, 'o'}, {0x1eb9, 'e'}, {0x1ee5, 'u'},
    {0x1e63, 's'}, {0x1e5b, 'r'},
};
// clang-format on

// The Latin letter that the code point is read as; 0: none.
char read_for(std::uint32_t point) {
  auto const* const found = std::ranges::find(mistaken, point, &Mistaken::point);
  return found == std::end(mistaken) ? '\0' : found->letter;
}

bool is_combining(std::uint32_t point) {
  return (point >= 0x300 && point <= 0x36f) || point == 0x200c || point == 0x200d || point == 0xad;
}

}  // namespace

std::string skeleton(std::string_view text) {
  std::string out;
  for (std::uint32_t const point : code_points(text)) {
    char const letter = read_for(point);
    if (is_combining(point)) {
      continue;
    }
    if (letter != '\0') {
      out.push_back(letter);
    } else if (point >= 0xe0 && point < 0xe0 + latin_bases.size()) {
      out.push_back(latin_bases[point - 0xe0]);
    } else if (point >= 'A' && point <= 'Z') {
      out.push_back(static_cast<char>(point - 'A' + 'a'));
    } else if (point >= 0xff21 && point <= 0xff5a) {
      out.push_back(static_cast<char>('a' + (point - 0xff21) % 32));
    } else {
      append(out, point);
    }
  }
  return out;
}

bool reads_as(std::string_view skeleton, std::string_view word) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    while (at < skeleton.size() && skeleton[at] == '-' && word[i] != '-') {
      ++at;
    }
    std::string_view const rest = skeleton.substr(at);
    char const c = rest.empty() ? '\0' : rest.front();
    bool const digit = (c == '0' && word[i] == 'o') || (c == '1' && (word[i] == 'i' || word[i] == 'l'));
    if (c == word[i] || digit) {
      ++at;
    } else if ((word[i] == 'm' && rest.starts_with("rn")) || (word[i] == 'w' && rest.starts_with("vv"))) {
      at += 2;
    } else {
      return false;
    }
  }
  while (at < skeleton.size() && skeleton[at] == '-') {
    ++at;
  }
  return at == skeleton.size();
}

std::string mixed_scripts(std::string_view text) {
  bool latin = false;
  bool cyrillic = false;
  bool greek = false;
  for (std::uint32_t const point : code_points(text)) {
    latin = latin || (point >= 'a' && point <= 'z') || (point >= 0xdf && point <= 0x24f);
    cyrillic = cyrillic || (point >= 0x400 && point <= 0x52f);
    greek = greek || (point >= 0x370 && point <= 0x3ff);
  }
  if (latin && cyrillic) {
    return "Latin and Cyrillic";
  }
  if (latin && greek) {
    return "Latin and Greek";
  }
  return greek && cyrillic ? "Greek and Cyrillic" : "";
}

}  // namespace tenants
