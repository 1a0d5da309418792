#include "dns-backend/look_alike/look_alike.hpp"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <set>

namespace look_alike {
namespace {

struct Mistaken {
  std::uint32_t point;
  char letter;
};

// What readers take for Latin letters though Unicode's table of confusables does not: it compares shapes in running
// text, and in a browser's bar less will do.
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

bool is_unseen(UChar32 point) {
  auto const type = u_charType(point);
  return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_COMBINING_SPACING_MARK ||
         type == U_FORMAT_CHAR;
}

// Unicode's data is a part of ICU's library: not to have it is a broken installation.
void require(UErrorCode status, char const* what) {
  if (U_FAILURE(status) != 0) {
    std::fprintf(stderr, "%s: %s\n", what, u_errorName(status));
    std::abort();
  }
}

// Identifiers of one script in everyday use (UTS #39 section 5.2, "highly restrictive": Han goes with its companions).
USpoofChecker const* checker() {
  static USpoofChecker const* const only = [] {
    UErrorCode status = U_ZERO_ERROR;
    auto* const made = uspoof_open(&status);
    require(status, "ICU's table of confusables");
    uspoof_setRestrictionLevel(made, USPOOF_HIGHLY_RESTRICTIVE);
    std::unique_ptr<icu::UnicodeSet> const allowed(uspoof_getRecommendedUnicodeSet(&status)->cloneAsThawed());
    allowed->addAll(*uspoof_getInclusionUnicodeSet(&status)).add(UChar32{'-'});
    uspoof_setAllowedUnicodeSet(made, allowed.get(), &status);
    uspoof_setChecks(made, USPOOF_RESTRICTION_LEVEL | USPOOF_CHAR_LIMIT | USPOOF_INVISIBLE | USPOOF_MIXED_NUMBERS,
                     &status);
    require(status, "ICU's sets of characters");
    return made;
  }();
  return only;
}

// The prototype of its class of confusables (UTS #39 section 4) where that is ASCII, in lower case; else the character.
// A stroke that stands for l, I and 1 alike becomes 1, which reads_as() takes for any of them.
std::string prototype(UChar32 point) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString found;
  uspoof_getSkeletonUnicodeString(checker(), 0, icu::UnicodeString(point), found, &status);
  require(status, "ICU's table of confusables");
  std::string text;
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < found.length(); i = found.moveIndex32(i, 1)) {
    if (!is_unseen(found.char32At(i))) {
      kept.append(found.char32At(i));
    }
  }
  kept.toLower(icu::Locale::getRoot()).toUTF8String(text);
  bool const ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii || text.empty()) {
    text.clear();
    icu::UnicodeString(point).toUTF8String(text);
  }
  return text == "l" ? "1" : text;
}

}  // namespace

std::string skeleton(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  auto const given =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  // Compatibility forms too: full width, circled and mathematical letters are letters to those who read.
  auto const parts = icu::Normalizer2::getNFKDInstance(status)->normalize(given, status);
  require(status, "ICU's normalization data");
  std::string out;
  for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
    UChar32 const point = u_tolower(parts.char32At(i));
    char const letter = read_for(static_cast<std::uint32_t>(point));
    if (is_unseen(point)) {
      continue;
    }
    if (letter != '\0' || point < 0x80) {
      out.push_back(letter != '\0' ? letter : static_cast<char>(point));
    } else {
      out += prototype(point);
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

std::string script_fault(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  auto const given =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  if (uspoof_check2UnicodeString(checker(), given, nullptr, &status) == 0 && U_SUCCESS(status) != 0) {
    return {};
  }
  std::set<std::string> scripts;
  for (std::int32_t i = 0; i < given.length(); i = given.moveIndex32(i, 1)) {
    auto const script = uscript_getScript(given.char32At(i), &status);
    if (script != USCRIPT_COMMON && script != USCRIPT_INHERITED) {
      scripts.insert(uscript_getName(script));
    }
  }
  if (scripts.size() < 2) {
    return "it has characters that are not in everyday use" +
           (scripts.empty() || *scripts.begin() == "Latin" ? "" : ": of the script " + *scripts.begin());
  }
  std::string names;
  for (auto const& one : scripts) {
    names += (names.empty() ? "" : one == *scripts.rbegin() ? " and " : ", ") + one;
  }
  return "it mixes " + names + " letters";
}

}  // namespace look_alike
