// Reports as they travel between sites: JSON, bounded, checked field by field.
//
//   {"format":1,"site":"ams","boot_ms":1700000000000,"sequence":7,"at_ms":1700000123456,"votes_of":5,
//    "hears":["nyc"],"cut_off":false,"votes":{"up":["edge-ams-1"],"down":["edge-nyc-2"]},
//    "why":{"edge-nyc-2":[1700000123000,"connection refused"]},"left_up":{"edge-nyc-2":1700000123001},
//    "pushed":[{"endpoint":"web/a","success":true,"reason":"","load":400,"sequence":17,"at_ms":1700000123000}]}
//
// Without "votes" the ones of report `votes_of` still hold, and with them "why" and "left_up". Those two and "pushed"
// may be missing: a Navigator before they were there says nothing of them.
//
// Threads: pure.
#pragma once

#include "dns-backend/vantage/council.hpp"

#include <string>
#include <string_view>

namespace vantage {

inline constexpr std::size_t report_octets_max = 16U << 20U;
inline constexpr std::size_t whys_max = 2000;       // of one report; further ones are left out
inline constexpr std::size_t reason_octets_max = 160;
inline constexpr std::size_t left_up_max = 10000;   // likewise
inline constexpr std::size_t pushed_max = 5000;     // of one report; further ones go with the next
inline constexpr std::size_t endpoint_octets_max = 512;

std::string to_json(Report const& report);
// Failure: errc::malformed with the field.
base::Result<Report> parse_report(std::string_view text);

}  // namespace vantage
