#include "dns-backend/pool/pool.hpp"

#include <gtest/gtest.h>

namespace {

// The store compares pools to see whether anything must be published.
TEST(Pool, DiffersWhenAnyFieldOfAnEndpointDoes) {
  pool::Pool first;
  first.name = "ams";
  first.endpoints.push_back({"edge-1", "192.0.2.1", "2001:db8::1", "", 0, true, 1});
  pool::Pool second = first;
  EXPECT_EQ(first, second);
  second.endpoints[0].address6 = "2001:db8::2";
  EXPECT_NE(first, second);
  second = first;
  second.endpoints[0].enabled = false;
  EXPECT_NE(first, second);
  second = first;
  second.minimum_origins = 2;
  EXPECT_NE(first, second);
}

}  // namespace
