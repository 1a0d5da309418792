#include "acme/crypto/time.hpp"

#include <gtest/gtest.h>

namespace crypto {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Time const now = std::chrono::sys_days(std::chrono::year(2026) / 8 / 22) + hours(10);

TEST(Time, ReadsRfc3339WithFractionsAndOffsets) {
  EXPECT_EQ(parse_rfc3339("2026-08-22T10:00:00Z"), now);
  EXPECT_EQ(parse_rfc3339("2026-08-22T10:00:00.123456789Z"), now);
  EXPECT_EQ(parse_rfc3339("2026-08-22T12:30:00+02:30"), now);
  EXPECT_EQ(parse_rfc3339("2026-08-22T05:00:00-05:00"), now);
  for (char const* const bad :
       {"", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-08-22T25:00:00Z", "2026-08-22T10:00:00",
        "2026-08-22T10:00:00Zjunk", "2026-08-22T10:00Z", "-026-08-22T10:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad).has_value()) << bad;
  }
}

TEST(Time, RetryAfterIsSecondsOrAnHttpDate) {
  EXPECT_EQ(parse_retry_after("3", now), now + seconds(3));
  EXPECT_EQ(parse_retry_after("0", now), now);
  EXPECT_EQ(parse_retry_after("Sat, 22 Aug 2026 10:05:00 GMT", now), now + minutes(5));
  for (char const* const bad : {"", "soon", "-1", "3.5", "Sat, 22 Foo 2026 10:05:00 GMT",
                                "Sat, 22 Aug 2026 10:05:00 CET", "99999999999999999999"}) {
    EXPECT_FALSE(parse_retry_after(bad, now).has_value()) << bad;
  }
}

TEST(Time, RetryAfterStaysBetweenNowAndAWeek) {
  EXPECT_EQ(parse_retry_after("9223372036854775807", now), now + days(7));
  EXPECT_EQ(parse_retry_after("Sat, 22 Aug 2020 10:05:00 GMT", now), now);
  EXPECT_EQ(parse_retry_after("Sat, 22 Aug 2048 10:05:00 GMT", now), now + days(7));
}

TEST(Time, FindsTheMomentInARateLimitText) {
  EXPECT_EQ(
      retry_after_in_text("too many certificates (5) ..., retry after 2026-08-22 11:00:00 UTC: see https://x", now),
      now + hours(1));
  EXPECT_EQ(retry_after_in_text("retry after 2026-08-22T11:00:00Z", now), now + hours(1));
  EXPECT_FALSE(retry_after_in_text("too many, come back later", now).has_value());
  EXPECT_FALSE(retry_after_in_text("retry after lunch", now).has_value());
}

}  // namespace
}  // namespace crypto
