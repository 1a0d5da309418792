#include "dns-backend/powerdns/zones/serial.hpp"

#include "dns-backend/powerdns/zones/routes.hpp"

#include <ctime>

namespace powerdns {
namespace {

constexpr std::int64_t day_s = 86400;
constexpr std::int64_t week_s = 7 * day_s;

// YYYYMMDD00 of the local day.
std::uint32_t day_serial(std::int64_t at_s) {
  auto const at = static_cast<std::time_t>(at_s);
  std::tm parts{};
  localtime_r(&at, &parts);
  return static_cast<std::uint32_t>((((parts.tm_year + 1900) * 100 + parts.tm_mon + 1) * 100 + parts.tm_mday) * 100);
}

// Signatures begin with the week (counted from the epoch, a Thursday).
std::int64_t inception(std::int64_t now_s) {
  return now_s - now_s % week_s;
}

}  // namespace

std::uint32_t next_serial(std::string_view soa_edit_api, std::string_view soa_edit, std::uint32_t old,
                          std::int64_t now_s) {
  if (same_word(soa_edit_api, "INCREASE")) {
    return old + 1;
  }
  if (same_word(soa_edit_api, "EPOCH")) {
    return static_cast<std::uint32_t>(now_s);
  }
  if (same_word(soa_edit_api, "DEFAULT")) {
    std::uint32_t const today = day_serial(now_s) + 1;
    return old < today ? today : old + 1;
  }
  bool const at_least_one = same_word(soa_edit_api, "SOA-EDIT-INCREASE");
  if (at_least_one || same_word(soa_edit_api, "SOA-EDIT")) {
    std::uint32_t const edited = edited_serial(soa_edit, old, now_s);
    return at_least_one && edited <= old ? old + 1 : edited;
  }
  return old;
}

std::uint32_t edited_serial(std::string_view soa_edit, std::uint32_t serial, std::int64_t now_s) {
  if (same_word(soa_edit, "EPOCH")) {
    return static_cast<std::uint32_t>(now_s);
  }
  if (same_word(soa_edit, "INCREMENT-WEEKS")) {
    return serial + static_cast<std::uint32_t>(inception(now_s) / week_s);
  }
  if (same_word(soa_edit, "INCEPTION-EPOCH")) {
    auto const begin = static_cast<std::uint32_t>(inception(now_s));
    return serial < begin ? begin : serial;
  }
  if (same_word(soa_edit, "INCEPTION-INCREMENT")) {
    // 00 and 01 of the day of inception are kept for the signer; changes of that day and the two after it count on
    // above them.
    std::uint32_t const first = day_serial(inception(now_s)) + 1;
    std::uint32_t const last = day_serial(inception(now_s) + 2 * day_s) + 99;
    if (serial < first - 1) {
      return first;
    }
    return serial <= last ? serial + 2 : serial;
  }
  return serial;
}

}  // namespace powerdns
