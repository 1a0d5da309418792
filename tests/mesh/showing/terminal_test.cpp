#include "mesh/showing/terminal.hpp"

#include <gtest/gtest.h>

namespace showing {
namespace {

TEST(Terminal, APictureIsCutToTheTerminalAndWipesWhatItDoesNotCover) {
  EXPECT_EQ(picture_on_terminal("one\nsecond line\nthird\n", 24, 6),
            "\x1b[Hone\x1b[K\r\nsecond\x1b[K\r\nthird\x1b[K\r\n\x1b[J");
  EXPECT_EQ(picture_on_terminal("one\ntwo\nthree\n", 3, 80), "\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\n\x1b[J");
  EXPECT_EQ(picture_on_terminal("", 24, 80), "\x1b[H\x1b[J");
}

TEST(Terminal, WhatWouldSteerTheTerminalDoesNot) {
  EXPECT_EQ(picture_on_terminal("a\x1b[31mb\x07\r\x7f", 24, 80), "\x1b[Ha?[31mb???\x1b[K\r\n\x1b[J");
}

}  // namespace
}  // namespace showing
