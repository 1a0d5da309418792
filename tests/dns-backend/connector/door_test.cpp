#include "dns-backend/connector/door.hpp"

#include <gmock/gmock.h>

namespace {

using testing::HasSubstr;

TEST(HttpAddress, IsALoopbackAddressAndAPort) {
  EXPECT_TRUE(connector::parse_http_address("127.0.0.1:18053"));
  EXPECT_TRUE(connector::parse_http_address("[::1]:18053"));
  for (char const* const bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "::1:18053",
                                "localhost:18053", "127.0.0.1:80x"}) {
    EXPECT_FALSE(connector::parse_http_address(bad)) << bad;
  }
  EXPECT_THAT(connector::parse_http_address("192.0.2.1:80").error().detail, HasSubstr("no authentication"));
}

}  // namespace
