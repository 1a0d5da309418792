#include "dns-backend/geo/geo.hpp"

#include <gtest/gtest.h>

namespace geo {
namespace {

std::string read_back(std::string_view text) {
  auto const client = parse_client(text);
  return client ? to_text(*client) : "-";
}

TEST(Client, IsReadFromAddressesAndPrefixes) {
  struct Row {
    char const* text;
    char const* read;
  };
  for (Row const& row : {Row{"192.0.2.1", "192.0.2.1/32"},
                         {"192.0.2.1/32", "192.0.2.1/32"},
                         {"192.0.2.77/24", "192.0.2.0/24"},
                         {"192.0.2.77/0", "0.0.0.0/0"},
                         {"0.0.0.0", "0.0.0.0/32"},
                         {"255.255.255.255/9", "255.128.0.0/9"},
                         {"2001:db8::1", "2001:db8::1/128"},
                         {"2001:db8:1:2ff::/56", "2001:db8:1:200::/56"},
                         {"::/0", "::/0"},
                         {"::ffff:192.0.2.1", "192.0.2.1/32"},
                         {"::ffff:192.0.2.1/120", "192.0.2.0/24"},
                         {"::ffff:0:0/90", "::ffc0:0:0/90"}}) {
    EXPECT_EQ(read_back(row.text), row.read) << row.text;
  }
}

TEST(Client, IsNothingElse) {
  for (char const* const text :
       {"", "/", "/24", "192.0.2", "192.0.2.1.5", "192.0.2.256", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1",
        "192.0.2.1/24x", "192.0.2.1/2 4", " 192.0.2.1", "192.0.2.1/300", "2001:db8::/129", "2001:db8::1%eth0",
        "example", "[::1]", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee"}) {
    EXPECT_EQ(read_back(text), "-") << text;
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(read_back("192.0.2.1\0"sv), "-");
}

TEST(Client, IsKnownByNoMoreThanIsKept) {
  Client const client = *parse_client("2001:db8:aaaa:bbbb::1");
  EXPECT_EQ(to_text(shortened(client, 40)), "2001:db8:aa00::/40");
  EXPECT_EQ(shortened(client, 128), client);
  EXPECT_EQ(to_text(shortened(shortened(client, 16), 99)), "2001::/16") << "what is gone does not come back";
  EXPECT_EQ(shortened(client, 0).bits, 0);
}

TEST(Distance, IsThatOfTheGreatCircle) {
  constexpr double amsterdam[] = {52.3676, 4.9041};
  constexpr double sydney[] = {-33.8688, 151.2093};
  auto const between = [](double const* a, double const* b) { return distance_km(a[0], a[1], b[0], b[1]); };
  EXPECT_NEAR(between(amsterdam, sydney), 16642, 20);
  EXPECT_DOUBLE_EQ(between(amsterdam, sydney), between(sydney, amsterdam));
  EXPECT_DOUBLE_EQ(between(amsterdam, amsterdam), 0);
  EXPECT_NEAR(distance_km(0, 0, 0, 1), 111.19, 0.01);
  EXPECT_NEAR(distance_km(0, 179.5, 0, -179.5), 111.19, 0.01) << "across the date line";
  EXPECT_NEAR(distance_km(90, 0, -90, 77), 20015, 1) << "antipodes";
  EXPECT_NEAR(distance_km(30, 10, -30, -170), 20015, 1);
}

}  // namespace
}  // namespace geo
