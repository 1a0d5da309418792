#include "base/http_client/http_client.hpp"
#include "base/net/task.hpp"

#include <gtest/gtest.h>

namespace {

using net::parse_url;

TEST(Url, SplitsSchemeHostPortAndTarget) {
  auto const url = parse_url("https://ns1.Example.org:18010/v1/zones?since=3&x=%20#part").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "ns1.example.org");
  EXPECT_EQ(url.port, "18010");
  EXPECT_EQ(url.target, "/v1/zones?since=3&x=%20");
  EXPECT_EQ(url.origin(), "https://ns1.example.org:18010");
}

TEST(Url, FillsInTheDefaultPortAndTheRootTarget) {
  EXPECT_EQ(parse_url("http://a").value().port, "80");
  EXPECT_EQ(parse_url("HTTPS://a").value().port, "443");
  EXPECT_EQ(parse_url("http://a").value().target, "/");
  EXPECT_EQ(parse_url("http://a?b=c").value().target, "/?b=c");
}

TEST(Url, KeepsAnIpv6AddressWithoutBrackets) {
  auto const url = parse_url("http://[2001:db8::1]:80/x").value();
  EXPECT_EQ(url.host, "2001:db8::1");
  EXPECT_EQ(url.origin(), "http://[2001:db8::1]:80");
}

TEST(Url, ReadsAUnixSocketPathAndItsTarget) {
  auto const url = parse_url("unix:/run/navigator/api.sock:/v1/status?x=1").value();
  EXPECT_EQ(url.scheme, "unix");
  EXPECT_EQ(url.host, "/run/navigator/api.sock");
  EXPECT_EQ(url.target, "/v1/status?x=1");
  EXPECT_EQ(url.origin(), "unix:/run/navigator/api.sock");
  EXPECT_EQ(parse_url("unix:/run/a.sock").value().target, "/");
}

TEST(Url, RefusesWhatCannotBeAsked) {
  for (auto const* text :
       {"", "/path", "ftp://a/", "http://", "http:///x", "https://a:0/", "https://a:70000/", "https://a:b/",
        "https://a:80b/", "http://a%2fb/", "http://%20/", "unix:", "unix:relative", "http://a b/",
        "http://a/\r\nHost: b", "http://[::1/", "http://user:word@a/", "http://a/\x80"}) {
    auto const url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, net::errc::bad_message) << text;
  }
  EXPECT_FALSE(parse_url("unix:/" + std::string(200, 'x')));
  EXPECT_FALSE(parse_url("http://a/" + std::string(9000, 'x')));
}

TEST(Url, NeverRepeatsAPasswordInTheReason) {
  EXPECT_EQ(parse_url("http://user:word@a/").error().what().find("word@"), std::string::npos);
}

TEST(PercentCoding, EncodesAndDecodes) {
  std::string out;
  EXPECT_TRUE(net::percent_decode("a%2Fb%20c%c3%A4+", out));
  EXPECT_EQ(out, "a/b c\xc3\xa4+");
  EXPECT_EQ(net::percent_encode("a/b c\xc3\xa4~"), "a%2Fb%20c%C3%A4~");
  for (auto const* text : {"%", "%1", "%g0", "a%0g", "%%20"}) {
    EXPECT_FALSE(net::percent_decode(text, out)) << text;
  }
}

}  // namespace
