#include "base/probe/http/redirect.hpp"

#include <gmock/gmock.h>

namespace probe {
namespace {

using testing::HasSubstr;

Target at(bool tls, std::string const& host, unsigned short port, std::string const& path) {
  return {{tls, host, port}, path};
}

struct Case {
  char const* location;
  char const* url;  // empty: refused
};

class Redirect : public testing::TestWithParam<Case> {};

TEST_P(Redirect, GoesWhereTheLocationSays) {
  auto const next = redirected(at(false, "www.example.org", 8080, "/a/b?x=1"), GetParam().location);
  EXPECT_EQ(next.has_value() ? url_of(*next) : "", GetParam().url) << GetParam().location;
}

INSTANTIATE_TEST_SUITE_P(, Redirect,
                         testing::Values(Case{"/c", "http://www.example.org:8080/c"},
                                         Case{"c", "http://www.example.org:8080/a/c"},
                                         Case{"?y=2", "http://www.example.org:8080/a/b?y=2"},
                                         Case{"../../../z", "http://www.example.org:8080/z"},
                                         Case{"//other.example/c", "http://other.example/c"},
                                         Case{"https://other.example", "https://other.example/"},
                                         Case{"https://other.example:8443/c#part", "https://other.example:8443/c"},
                                         Case{"HTTP://[2001:db8::1]:81/c", "http://[2001:db8::1]:81/c"},
                                         Case{"http://user:word@other.example/c", "http://other.example/c"},
                                         Case{"ftp://other.example/", ""}, Case{"javascript:alert(1)", ""},
                                         Case{"http://", ""}, Case{"http://other.example:0/", ""},
                                         Case{"http://other.example:99999/", ""}, Case{"http://other.example:12x/", ""},
                                         Case{"http://a b/", ""}, Case{"/a\r\nX: y", ""}));

TEST(RedirectLocation, RefusesAnEndlessLocationAndShowsOnlyItsBeginning) {
  auto const next = redirected(at(false, "a", 80, "/"), "http://b/" + std::string(5000, 'x'));
  ASSERT_TRUE(next.has_error());
  EXPECT_THAT(next.error().detail, HasSubstr("longer than 2,048 characters"));
  EXPECT_LT(next.error().detail.size(), 300U);
}

TEST(RedirectLocation, StartsFromTheRootWhenTheConfiguredPathFitsNoUrl) {
  auto const next = redirected(at(true, "a", 443, "/with space"), "c");
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(url_of(*next), "https://a/c");
}

TEST(RedirectMethod, KeepsTheMethodExceptWhereHttpSaysGet) {
  EXPECT_EQ(method_after(303, "POST"), "GET");
  EXPECT_EQ(method_after(303, "HEAD"), "HEAD");
  EXPECT_EQ(method_after(301, "POST"), "GET");
  EXPECT_EQ(method_after(302, "HEAD"), "HEAD");
  EXPECT_EQ(method_after(307, "POST"), "POST");
  EXPECT_EQ(method_after(308, "PUT"), "PUT");
}

}  // namespace
}  // namespace probe
