#include "dns-backend/geo/cidr_map.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <random>

namespace geo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<CidrMap const> map(std::string_view text) {
  return *CidrMap::parse(text, "map");
}

// "region/scope"
std::string at(Locator const& locator, std::string_view client) {
  auto const place = locator.locate(parse_client(client).value());
  return place ? std::string(place->region) + "/" + std::to_string(place->scope_bits) : "-";
}

std::vector<std::string> problems(std::string_view text) {
  auto const parsed = CidrMap::parse(text, "map");
  std::vector<std::string> out;
  if (!parsed) {
    for (base::Problem const& problem : parsed.error()) {
      EXPECT_FALSE(problem.hint.empty());
      out.push_back(std::to_string(problem.place.line) + " " + problem.message);
    }
  }
  return out;
}

TEST(CidrMap, FindsTheLongestPrefix) {
  auto const offices =
      map("# what        who\n"
          "10.0.0.0/8    office\n"
          "\n"
          "10.20.0.0/16\tfactory 48.13,11.58  # Munich\r\n"
          "10.20.30.0/24 lab\n"
          "2001:db8::/32 DE -33.5,151\n"
          "203.0.113.7   one\n");
  EXPECT_EQ(offices->size(), 5U);
  EXPECT_EQ(at(*offices, "10.20.30.40"), "lab/24");
  EXPECT_EQ(at(*offices, "10.20.31.40"), "factory/24") << "10.20.31.0/24 is the neighbour of the lab";
  EXPECT_EQ(at(*offices, "10.20.128.1"), "factory/17");
  EXPECT_EQ(at(*offices, "10.21.0.1"), "office/16");
  EXPECT_EQ(at(*offices, "10.128.0.1"), "office/9");
  EXPECT_EQ(at(*offices, "203.0.113.7"), "one/32");
  EXPECT_EQ(at(*offices, "203.0.113.8"), "-");
  EXPECT_EQ(at(*offices, "2001:db8:1::/48"), "DE/32");
  EXPECT_EQ(at(*offices, "2001:db9::"), "-");
  auto const place = offices->locate(*parse_client("2001:db8::1"));
  EXPECT_TRUE(place->has_coordinates);
  EXPECT_EQ(place->latitude, -33.5);
  EXPECT_EQ(place->longitude, 151);
  EXPECT_FALSE(offices->locate(*parse_client("10.128.0.1"))->has_coordinates);
}

TEST(CidrMap, WhatIsLongerThanTheClientSaysNothingAboutIt) {
  auto const offices = map("10.0.0.0/8 office\n10.20.0.0/16 factory\n192.0.2.0/28 half\n");
  EXPECT_EQ(at(*offices, "10.20.0.0/16"), "factory/16");
  EXPECT_EQ(at(*offices, "10.20.0.0/15"), "office/15");
  EXPECT_EQ(at(*offices, "10.0.0.0/8"), "office/8");
  EXPECT_EQ(at(*offices, "192.0.2.0/24"), "-");
  EXPECT_EQ(at(*offices, "0.0.0.0/0"), "-");
}

TEST(CidrMap, ReachesBothEndsOfTheAddresses) {
  auto const all = map("0.0.0.0/0 four\n::/0 six\n255.255.255.255 last\n0.0.0.0/1 low\nffff::/16 top\n");
  EXPECT_EQ(at(*all, "0.0.0.0"), "low/1");
  EXPECT_EQ(at(*all, "255.255.255.255"), "last/32");
  EXPECT_EQ(at(*all, "255.255.255.254"), "four/32");
  EXPECT_EQ(at(*all, "128.0.0.1"), "four/2");
  EXPECT_EQ(at(*all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "top/16");
  EXPECT_EQ(at(*all, "1::"), "six/1");
  EXPECT_EQ(at(*map(""), "1.2.3.4"), "-");
  EXPECT_EQ(at(*map("::/0 six"), "::1"), "six/0") << "everybody is there";
}

TEST(CidrMap, ReportsEveryProblemWithItsLine) {
  EXPECT_THAT(
      problems("10.0.0.1/8 office\n"
               "ten office\n"
               "10.0.0.0/8\n"
               "11.0.0.0/8 off!ce\n"
               "12.0.0.0/8 a 91,0\n"
               "13.0.0.0/8 a 9,0 b\n"
               "14.0.0.0/8 a 9\n"
               "15.0.0.0/8 a\n"
               "# 15.0.0.0/8 b\n"
               "15.0.0.0/8 b\n"
               "16.0.0.0/33 c nowhere\n"),
      ElementsAre("1 '10.0.0.1/8' has bits set behind its length", "2 'ten' is no prefix",
                  "3 no region follows the prefix", "4 'off!ce' is no name of a region", "5 '91,0' are no coordinates",
                  "6 'b' is one word too many", "7 '9' are no coordinates", "10 15.0.0.0/8 stands in line 8 already",
                  "11 '16.0.0.0/33' is no prefix", "11 'nowhere' are no coordinates"));
}

TEST(CidrMap, IsReadFromAFile) {
  test::TemporaryFolder const folder;
  std::ofstream(folder.file("map")) << "10.0.0.0/8 office";
  EXPECT_EQ(at(**CidrMap::load(folder.file("map")), "10.1.1.1"), "office/8");
  auto const missing = CidrMap::load(folder.file("none"));
  ASSERT_FALSE(missing);
  EXPECT_THAT(base::text(missing.error()),
              HasSubstr(folder.file("none") + ": the CIDR map cannot be read: No such file"));
  EXPECT_FALSE(CidrMap::load(folder.path())) << "a folder is no file";
}

// Against the definition: the longest of all prefixes that hold the client.
TEST(CidrMap, AgreesWithASearchThroughAllPrefixes) {
  std::mt19937 random(20260823);  // NOLINT: the same cases every time
  for (int round = 0; round < 60; ++round) {
    bool const ipv6 = round % 3 == 0;
    // Few leading bits vary, so that prefixes hold each other.
    auto const client = [&] {
      Client out;
      out.ipv6 = ipv6;
      out.bits = static_cast<std::uint8_t>(random() % (ipv6 ? 129 : 33));
      for (std::size_t i = 0; i < (ipv6 ? 16U : 4U); ++i) {
        out.octets[i] = static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : random() % 4 == 0 ? 0xff : 0x80);
      }
      return shortened(out, out.bits);
    };
    std::map<std::string, Client> prefixes;
    for (std::size_t i = 0; i < random() % 40; ++i) {
      Client const prefix = client();
      prefixes[to_text(prefix)] = prefix;
    }
    std::string text;
    std::vector<Client> all;
    for (auto const& [name, prefix] : prefixes) {
      text += name + " r" + std::to_string(all.size()) + "\n";
      all.push_back(prefix);
    }
    auto const made = map(text);
    auto const region = [&](Client const& wanted) {
      int best = -1;
      for (std::size_t i = 0; i < all.size(); ++i) {
        bool const holds = all[i].bits <= wanted.bits && shortened(wanted, all[i].bits) == all[i];
        if (holds && (best < 0 || all[static_cast<std::size_t>(best)].bits < all[i].bits)) {
          best = static_cast<int>(i);
        }
      }
      return best < 0 ? std::string("-") : "r" + std::to_string(best);
    };
    for (int i = 0; i < 200; ++i) {
      Client const asked = client();
      auto const found = made->match(asked);
      ASSERT_EQ(found.entry == nullptr ? "-" : found.entry->region, region(asked)) << to_text(asked) << "\n" << text;
      ASSERT_LE(found.scope_bits, asked.bits);
      // Whoever shares the scope and is known as well gets the same.
      Client other = asked;
      for (unsigned bit = found.scope_bits; bit < asked.bits; ++bit) {
        other.octets[bit / 8] ^= static_cast<std::uint8_t>(random() % 2 == 0 ? 0x80U >> bit % 8 : 0);
      }
      ASSERT_EQ(region(other), region(asked))
          << to_text(asked) << " " << to_text(other) << " scope " << int{found.scope_bits} << "\n"
          << text;
    }
  }
}

}  // namespace
}  // namespace geo
