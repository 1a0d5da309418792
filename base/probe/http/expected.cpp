#include "base/probe/http/expected.hpp"

#include <re2/re2.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace probe {
namespace {

using Range = std::pair<int, int>;

std::optional<int> status_code(std::string_view text) {
  int code = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size() || text.size() != 3 || code < 100 || code > 599) {
    return std::nullopt;
  }
  return code;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<Range> parse_range(std::string_view text) {
  if (text.size() == 3 && (text.ends_with("xx") || text.ends_with("XX")) && text[0] >= '1' && text[0] <= '5') {
    int const hundred = (text[0] - '0') * 100;
    return Range{hundred, hundred + 99};
  }
  std::size_t const dash = text.find('-');
  auto const first = status_code(trimmed(text.substr(0, dash)));
  auto const last = dash == std::string_view::npos ? first : status_code(trimmed(text.substr(dash + 1)));
  if (!first || !last || *first > *last) {
    return std::nullopt;
  }
  return Range{*first, *last};
}

// Calls `visit` for each range; false when the pattern is not one.
template <class Visit>
bool each_range(std::string_view pattern, Visit visit) {
  constexpr int ranges_max = 64;
  for (int count = 0; count < ranges_max; ++count) {
    std::size_t const comma = pattern.find(',');
    auto const range = parse_range(trimmed(pattern.substr(0, comma)));
    if (!range) {
      return false;
    }
    visit(*range);
    if (comma == std::string_view::npos) {
      return true;
    }
    pattern.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

bool code_matches(std::string const& expected_codes, int status) {
  bool matches = false;
  bool const valid = each_range(
      expected_codes, [&](Range range) { matches = matches || (range.first <= status && status <= range.second); });
  return valid && matches;
}

bool valid_codes(std::string const& expected_codes) {
  return each_range(expected_codes, [](Range) {});
}

std::unique_ptr<re2::RE2 const> compiled(std::string const& pattern) {
  // RE2 runs in time linear in the text whatever the pattern; the memory of one pattern is limited here.
  constexpr std::int64_t memory_max = 1 << 20;
  re2::RE2::Options options(re2::RE2::Latin1);  // a body is octets; UTF-8 would refuse to match in any other encoding
  options.set_log_errors(false);
  options.set_max_mem(memory_max);
  return std::make_unique<re2::RE2 const>(pattern, options);
}

std::string pattern_problem(std::string const& pattern) {
  constexpr std::size_t length_max = 1024;
  if (pattern.size() > length_max) {
    return "longer than 1,024 characters";
  }
  auto const made = compiled(pattern);
  return made->ok() ? std::string() : made->error();
}

}  // namespace probe
