// What an endpoint reports about itself (probe::Type::push), and which reports are not believed.
//
// Threads: pure functions over values.
#pragma once

#include "base/result/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace monitor {

enum class errc {
  unknown_endpoint = 1,  // no watch has this name
  not_pushed,            // its watch asks for itself
  replayed,              // the sequence is not above the last one
  misdated,              // dated more than 60 s off
};
boost::system::error_code make_error_code(errc code);

struct Report {
  bool success = false;
  std::string reason = {};
  std::optional<std::uint32_t> load_permille =
      std::nullopt;  // 1000: as much as it can take; more than that: overloaded
  // Grows with every report, over restarts of the endpoint too: the Unix time in microseconds does.
  std::uint64_t sequence = 0;
  std::int64_t at_ms = 0;  // Unix time at the endpoint
};

enum class Via { endpoint, peer };  // whether it came from the endpoint itself, or another site heard it

inline constexpr std::int64_t clock_skew_ms_max = 60'000;

// errc::replayed or errc::misdated.
[[nodiscard]] base::Result<void> believable(Report const& report, std::uint64_t last_sequence, std::int64_t now_ms);

}  // namespace monitor

template <>
struct boost::system::is_error_code_enum<monitor::errc> : std::true_type {};
