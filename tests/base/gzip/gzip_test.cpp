#include "base/gzip/gzip.hpp"

#include <gtest/gtest.h>

namespace {

std::string text_of(std::size_t lines) {
  std::string out;
  for (std::size_t i = 0; i < lines; ++i) {
    out += "node " + std::to_string(i * 2654435761U) + "\n";
  }
  return out;
}

TEST(Gzip, ComesBackAsItWas) {
  for (auto const& text : {std::string(), std::string("a"), text_of(20000), std::string(300000, '\0')}) {
    auto const small = gzip::compress(text);
    EXPECT_EQ(gzip::decompress(small, text.size()).value(), text);
    EXPECT_EQ(gzip::compress(text), small);
  }
  EXPECT_LT(gzip::compress(text_of(20000)).size(), text_of(20000).size() / 2);
}

TEST(Gzip, AFewOctetsThatBecomeMillionsAreStopped) {
  auto const bomb = gzip::compress(std::string(std::size_t{64} << 20U, 'x'));
  ASSERT_LT(bomb.size(), 400000U);
  EXPECT_EQ(gzip::decompress(bomb, 1U << 20U).error().code, gzip::errc::too_large);
}

TEST(Gzip, WhatIsNoneOrCutOffOrChangedIsDamaged) {
  auto const good = gzip::compress(text_of(1000));
  EXPECT_EQ(gzip::decompress("", 100).error().code, gzip::errc::damaged);
  EXPECT_EQ(gzip::decompress("{\"revision\":1}", 100).error().code, gzip::errc::damaged);
  for (std::size_t size : {std::size_t{5}, good.size() / 2, good.size() - 1}) {
    EXPECT_EQ(gzip::decompress(good.substr(0, size), 1U << 20U).error().code, gzip::errc::damaged) << size;
  }
  auto changed = good;
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  EXPECT_FALSE(gzip::decompress(changed, 1U << 20U));
  EXPECT_EQ(gzip::decompress(good + "more", 1U << 20U).error().code, gzip::errc::damaged);
}

}  // namespace
