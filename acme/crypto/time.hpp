// Wall time, because certificates, orders and Retry-After speak of it. Every decision takes it as a parameter; only
// the code that performs actions calls wall_now().
//
// Threads: plain values and pure functions; wall_now() may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace crypto {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

[[nodiscard]] inline Time from_ms(std::int64_t ms) {
  return Time{std::chrono::milliseconds(ms)};
}
[[nodiscard]] inline std::int64_t to_ms(Time time) {
  return time.time_since_epoch().count();
}
[[nodiscard]] inline Time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// "2026-08-22T10:00:00Z", with a fraction or an offset as well (RFC 3339), and a blank in place of the T.
[[nodiscard]] std::optional<Time> parse_rfc3339(std::string_view text);

// The Retry-After header: seconds, or an HTTP date (RFC 9110 section 10.2.3, IMF-fixdate only). Never before `now`,
// never later than a week, so that a CA's slip does not park a name for good.
[[nodiscard]] std::optional<Time> parse_retry_after(std::string_view header, Time now);

// Let's Encrypt writes the moment into the text of a rateLimited problem: "... retry after 2026-08-22 10:00:00 UTC".
[[nodiscard]] std::optional<Time> retry_after_in_text(std::string_view detail, Time now);

}  // namespace crypto
