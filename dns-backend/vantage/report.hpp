// Reports as they travel between sites: JSON, bounded, checked field by field.
//
//   {"format":1,"site":"ams","boot_ms":1700000000000,"sequence":7,"at_ms":1700000123456,"votes_of":5,
//    "hears":["nyc"],"cut_off":false,"votes":{"up":["edge-ams-1"],"down":["edge-nyc-2"]}}
//
// Without "votes" the ones of report `votes_of` still hold.
//
// Threads: pure.
#pragma once

#include "dns-backend/vantage/council.hpp"

#include <string>
#include <string_view>

namespace vantage {

inline constexpr std::size_t report_octets_max = 8U << 20U;
inline constexpr std::size_t endpoint_octets_max = 512;

std::string to_json(Report const& report);
// Failure: errc::malformed with the field.
base::Result<Report> parse_report(std::string_view text);

}  // namespace vantage
