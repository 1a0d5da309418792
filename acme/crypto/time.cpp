#include "acme/crypto/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace crypto {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Reads `width` digits from the front of `text`.
std::optional<int> digits(std::string_view& text, std::size_t width) {
  int value = 0;
  if (text.size() < width) {
    return std::nullopt;
  }
  auto const [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc() || end != text.data() + width || value < 0) {
    return std::nullopt;
  }
  text.remove_prefix(width);
  return value;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<Time> make_time(int year, unsigned month, int day, int hour, int minute, int second) {
  std::chrono::year_month_day const date(std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return Time{std::chrono::sys_days(date)} + hours(hour) + minutes(minute) + seconds(second);
}

// "10:00:00" from the front of `text`, as seconds of the day in three numbers.
std::optional<std::array<int, 3>> clock(std::string_view& text) {
  auto const hour = digits(text, 2);
  bool const colon1 = skip(text, ":");
  auto const minute = digits(text, 2);
  bool const colon2 = skip(text, ":");
  auto const second = digits(text, 2);
  if (!hour || !colon1 || !minute || !colon2 || !second) {
    return std::nullopt;
  }
  return std::array<int, 3>{*hour, *minute, *second};
}

// "Z", "+02:00" or " UTC"; the offset from UTC.
std::optional<minutes> zone(std::string_view text) {
  if (text == "Z" || text == "z" || text == " UTC") {
    return minutes(0);
  }
  bool const west = text.starts_with('-');
  if (!skip(text, "+-")) {
    return std::nullopt;
  }
  auto const hour = digits(text, 2);
  bool const colon = skip(text, ":");
  auto const minute = digits(text, 2);
  if (!hour || !colon || !minute || !text.empty() || *hour > 23 || *minute > 59) {
    return std::nullopt;
  }
  minutes const offset = hours(*hour) + minutes(*minute);
  return west ? -offset : offset;
}

// "Sat, 22 Aug 2026 10:00:00 GMT".
std::optional<Time> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  text.remove_prefix(5);
  auto const day = digits(text, 2);
  auto const* const month = std::ranges::find(months, text.substr(1, 3));
  text.remove_prefix(std::min<std::size_t>(5, text.size()));
  auto const year = digits(text, 4);
  if (!day || month == months.end() || !year || !skip(text, " ")) {
    return std::nullopt;
  }
  auto const time = clock(text);
  if (!time) {
    return std::nullopt;
  }
  return make_time(*year, static_cast<unsigned>(month - months.begin()) + 1, *day, (*time)[0], (*time)[1], (*time)[2]);
}

Time clamp(Time time, Time now) {
  return std::clamp(time, now, now + days(7));
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  auto const year = digits(text, 4);
  bool const dash1 = skip(text, "-");
  auto const month = digits(text, 2);
  bool const dash2 = skip(text, "-");
  auto const day = digits(text, 2);
  bool const middle = skip(text, "Tt ");
  auto const time = clock(text);
  if (!year || !dash1 || !month || !dash2 || !day || !middle || !time) {
    return std::nullopt;
  }
  if (skip(text, ".")) {
    while (skip(text, "0123456789")) {
    }
  }
  auto const offset = zone(text);
  auto const local = make_time(*year, static_cast<unsigned>(*month), *day, (*time)[0], (*time)[1], (*time)[2]);
  if (!offset || !local) {
    return std::nullopt;
  }
  return *local - *offset;
}

std::optional<Time> parse_retry_after(std::string_view header, Time now) {
  if (header.empty()) {
    return std::nullopt;
  }
  std::int64_t count = 0;
  auto const [end, error] = std::from_chars(header.data(), header.data() + header.size(), count);
  if (error == std::errc() && end == header.data() + header.size() && count >= 0) {
    return clamp(now + seconds(std::min<std::int64_t>(count, 7L * 86400)), now);
  }
  auto const date = parse_http_date(header);
  if (!date) {
    return std::nullopt;
  }
  return clamp(*date, now);
}

std::optional<Time> retry_after_in_text(std::string_view detail, Time now) {
  constexpr std::string_view words = "retry after ";
  std::size_t const at = detail.find(words);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view rest = detail.substr(at + words.size());
  // The moment is followed by ": see ..." or the end; try its two lengths.
  for (std::size_t const length : {std::size_t{20}, std::size_t{23}}) {
    if (auto const time = parse_rfc3339(rest.substr(0, length))) {
      return clamp(*time, now);
    }
  }
  return std::nullopt;
}

}  // namespace crypto
