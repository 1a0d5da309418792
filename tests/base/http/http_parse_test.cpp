#include "base/http/http_parse.hpp"

#include <gtest/gtest.h>

namespace {

std::string const post = "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nX-Y: z\r\n\r\nbody";

TEST(ParseRequest, YieldsTheFirstRequestAndItsLength) {
  auto const parsed = net::parse_request(post + "GET / HTTP/1.1\r\n\r\n", 100).value();
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->octets, post.size());
  EXPECT_EQ(parsed->request.method, "POST");
  EXPECT_EQ(parsed->request.target, "/a?b");
  EXPECT_EQ(parsed->request.body, "body");
  EXPECT_EQ(parsed->request.headers.get("x-y"), "z");
  EXPECT_TRUE(parsed->keep_alive);
}

TEST(ParseRequest, WaitsForEveryOctet) {
  for (std::size_t size = 0; size < post.size(); ++size) {
    EXPECT_FALSE(net::parse_request(post.substr(0, size), 100).value()) << size;
  }
}

TEST(ParseRequest, TakesPiecesToo) {
  auto const parsed =
      net::parse_request("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 100)
          .value();
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->request.body, "abc");
}

TEST(ParseRequest, HasLimits) {
  EXPECT_EQ(net::parse_request(post, 3).error().code, net::errc::too_large);
  EXPECT_EQ(net::parse_request("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x'), 100).error().code,
            net::errc::too_large);
  EXPECT_EQ(net::parse_request("nonsense\r\n\r\n", 100).error().code, net::errc::bad_message);
}

}  // namespace
